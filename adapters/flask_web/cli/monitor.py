"""Look at everything that this gateway depends on."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from adapters.flask_web.context import services


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def monitor(*, as_json: bool) -> None:
    """Look at everything now, without keeping it; exit 1 if something fails."""
    readings = services().operations.watch.look()
    healthy = all(reading.finding.is_healthy for reading in readings)
    if as_json:
        checks = {
            reading.check: {
                "healthy": reading.finding.is_healthy,
                "detail": reading.finding.detail,
                "value": reading.finding.value,
            }
            for reading in readings
        }
        click.echo(json.dumps({"healthy": healthy, "checks": checks}, indent=2))
    else:
        for reading in readings:
            state = "ok  " if reading.finding.is_healthy else "FAIL"
            click.echo(f"{state}  {reading.check}: {reading.finding.detail}")
    sys.exit(0 if healthy else 1)
