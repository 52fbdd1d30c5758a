"""The process that does what no request waits for."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import threading
from types import FrameType

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.maintenance import Maintenance
from adapters.flask_web.context import services
from adapters.flask_web.web.log_lines import log_config


@click.command()
@click.option("--once", is_flag=True, help="Do everything that is due, once, and exit.")
@with_appcontext
def worker(*, once: bool) -> None:
    """Expire holds left behind, refresh prices, work off webhooks, add up usage.

    Webhooks that were not confirmed and payments that wait are asked about too.

    Any number of workers may run; on SQLite the gateway does this itself.
    """
    maintenance = Maintenance.of_worker(services())
    if once:
        done = maintenance.run_once()
        click.echo(", ".join(f"{what}: {count}" for what, count in done.items()))
        services().calls.commits.close()
        return
    stop = threading.Event()

    def _stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    level = os.environ.get("LOG_LEVEL") or "info"
    logging.config.dictConfig(log_config(os.environ.get("LOG_FORMAT") or "text", level=level))
    click.echo("The worker is running.", err=True)
    maintenance.run_until(stop)
    services().calls.commits.close()
