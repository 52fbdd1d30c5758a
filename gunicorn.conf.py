"""How the gateway is served: ``gunicorn -c gunicorn.conf.py wsgi:app``.

Each line that differs from gunicorn's default says why.
"""

# ruff: noqa: E402
# First of all: what is imported before the patch keeps blocking sockets and locks for
# ever, and all greenlets would share one database session.
from gevent import monkey

monkey.patch_all()

import ctypes
import gc
import os
import resource
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import load_dotenv

from adapters.flask_web.cli.maintenance import Maintenance
from adapters.flask_web.server.gateway_log import GatewayLog
from adapters.flask_web.server.pool_watch import watch_pools
from adapters.flask_web.server.worker import Answer, GatewayWorker
from adapters.flask_web.settings import Settings, SettingsError
from adapters.flask_web.web.log_lines import log_config

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.http.message import Request
    from gunicorn.workers.base import Worker

load_dotenv()
# Read when the library of the figures is imported, which workers do after this.
os.environ.setdefault(
    "PROMETHEUS_MULTIPROC_DIR", str(Path(os.environ.get("DATA_DIR") or "var") / "metrics")
)
# gunicorn asks for it with each request. That there is none would be an exception each time.
os.environ.setdefault("SCRIPT_NAME", "")
try:
    # Before any process: each would end with the same faults, and be started again.
    _settings = Settings.from_env(os.environ)
    _settings.make_data_dir()
except SettingsError as error:
    sys.exit(f"Error: {error}")
if (_fault := _settings.data_dir_fault()) is not None:
    sys.exit(f"Error: {_fault}")

bind = [f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"]
# gunicorn's gevent worker with our way of answering. What is not written plainly goes through
# gunicorn's own strict parser; gevent's pywsgi is not meant to face the internet.
worker_class = "adapters.flask_web.server.worker.GatewayWorker"
workers = _settings.web_concurrency
GatewayWorker.fast_parser = _settings.fast_parser
GatewayWorker.shares_by_address = not _settings.trusted_proxy_count
# Our parser builds on this one. The default takes the one in C wherever it is installed.
http_parser = "python"
# Greenlets per worker: each is a call under way or an idle keep-alive connection.
worker_connections = 2000
# The heartbeat of a worker, not of a request: it only fires when the loop is stuck.
timeout = 60
# A stream must be able to finish after SIGTERM. What is cut off all the same is
# settled from the database. Give the supervisor more time than this.
graceful_timeout = _settings.max_stream_seconds + 15
# Waiting for the next request of a client is cheap; making it connect again is not.
keepalive = 30
# Restarting workers by count would cut streams.
max_requests = 0
# An unused way in.
control_socket_disable = True
accesslog = None
errorlog = "-"
# gevent reads files in small blocks either way. Written as any other body, they are not kept
# open by a client that has stopped reading.
sendfile = False
loglevel = os.environ.get("LOG_LEVEL") or "info"
# It writes no line for each request.
logger_class = GatewayLog
# One way for all loggers: as text, or as JSON with the id of the call; never with secrets.
logconfig_dict = log_config(os.environ.get("LOG_FORMAT") or "text", level=loglevel)
forwarded_allow_ips = "127.0.0.1"
# A header of a client must not move the path, even where a proxy passes it on.
forwarder_headers = ""

# Each connection may need another one upstream, and many systems allow 1024 files by default.
_FILES = 8192
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_most = _FILES if _hard == resource.RLIM_INFINITY else min(_FILES, _hard)
if _soft != resource.RLIM_INFINITY and _soft < _most:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _hard))

# A freed body of megabytes goes back to the system at once. glibc would learn to keep as much for
# the next one, and what it keeps falls into pieces: https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_MMAP_THRESHOLD = -3
if (_mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
    _mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)

_stop = threading.Event()

_OBJECTS_BETWEEN_SEARCHES = 10_000


def on_starting(server: "Arbiter") -> None:
    """Begin the figures anew: each process leaves a file, for ever.

    Not beside a gateway that this one replaces: its processes still count.
    """
    if server.master_pid:
        return
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def pre_request(_worker: "Worker", _request: "Request") -> None:
    """Write no line for each request, as ``GatewayLog``; gunicorn's own asks its log each time."""


def post_worker_init(worker: "Worker") -> None:
    """Say how patient to be with clients, and look for what the process before left behind.

    On SQLite do the worker's chores too: where there is one process, no other may write.
    """
    app = _application(worker)
    settings = app.extensions["creditcore.settings"]
    Answer.longest_write_s = settings.longest_write_s
    worker.on_stall = app.extensions["creditcore"].metrics.stalled  # type: ignore[attr-defined]
    app.extensions["creditcore"].traces.start()
    services = app.extensions["creditcore"]
    watching = (services.pools, services.metrics, _stop)
    threading.Thread(target=watch_pools, args=watching, daemon=True).start()
    chores = Maintenance.of_worker if settings.uses_sqlite else Maintenance.of_gateway
    maintenance = chores(app.extensions["creditcore"])
    threading.Thread(target=maintenance.run_until, args=(_stop,), daemon=True).start()
    _look_for_garbage_among_what_is_new()


def worker_exit(_server: "Arbiter", worker: "Worker") -> None:
    """Commit what is still waiting to be settled."""
    _stop.set()
    services = _application(worker).extensions["creditcore"]
    services.calls.commits.close()
    services.journal.close()
    services.traces.close()


def _look_for_garbage_among_what_is_new() -> None:
    """Leave the program itself out of each search for garbage, and search for it less often.

    Going through half a million objects that stay for ever held the loop for 80 ms at a time.
    What 256 calls under way are made of is more than Python's own threshold of 700: a tenth of a
    call went into looking through them again and again (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)


def child_exit(_server: "Arbiter", worker: "Worker") -> None:
    """Take what was true of a process at that moment out of the figures."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def _application(worker: "Worker") -> Any:
    return worker.app.wsgi()
