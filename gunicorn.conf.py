"""How the gateway is served: ``gunicorn -c gunicorn.conf.py wsgi:app``.

Each line that differs from gunicorn's default says why.
"""

# ruff: noqa: E402
# First of all: what is imported before the patch keeps blocking sockets and locks for
# ever, and all greenlets would share one database session.
from gevent import monkey

monkey.patch_all()

import os
import threading
from typing import TYPE_CHECKING, Any

from adapters.flask_web.maintenance import Maintenance

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

_longest_call_s = int(os.environ.get("MAX_STREAM_SECONDS") or 600)

bind = [f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"]
# "gevent" parses HTTP with gunicorn's own strict parser; gevent's pywsgi is not meant
# to face the internet.
worker_class = "gevent"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
# Greenlets per worker: each is a call under way or an idle keep-alive connection.
worker_connections = 2000
# The heartbeat of a worker, not of a request: it only fires when the loop is stuck.
timeout = 60
# A stream must be able to finish after SIGTERM. What is cut off all the same is
# settled from the database. Give the supervisor more time than this.
graceful_timeout = _longest_call_s + 15
# Waiting for the next request of a client is cheap; making it connect again is not.
keepalive = 30
# Restarting workers by count would cut streams.
max_requests = 0
# An unused way in.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL") or "info"
forwarded_allow_ips = "127.0.0.1"

_stop = threading.Event()


def post_worker_init(worker: "Worker") -> None:
    """On SQLite this one process does the worker's chores too: no other may write."""
    app = _application(worker)
    if app.extensions["creditcore.settings"].uses_sqlite:
        maintenance = Maintenance(app.extensions["creditcore"])
        threading.Thread(target=maintenance.run_until, args=(_stop,), daemon=True).start()


def worker_exit(_server: "Arbiter", worker: "Worker") -> None:
    """Commit what is still waiting to be settled."""
    _stop.set()
    _application(worker).extensions["creditcore"].commits.close()


def _application(worker: "Worker") -> Any:
    return worker.app.wsgi()
