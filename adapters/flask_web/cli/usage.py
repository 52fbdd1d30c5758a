"""What was used, by the hour."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.period import Instant
from adapters.flask_web.context import services
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of

_TOLD_EVERY_S = 2.0
_INSTANTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")

usage = AppGroup("usage", help="What was used, by the hour.")


@usage.command("rebuild")
@click.option(
    "--from",
    "since",
    required=True,
    type=Instant(_INSTANTS),
    help="The first hour, in UTC.",
)
@click.option(
    "--to",
    "until",
    type=Instant(_INSTANTS),
    help="Up to and without this hour, in UTC; up to now if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def rebuild(since: datetime, until: datetime | None, *, as_json: bool) -> None:
    """Count the calls of a time again, hour by hour. Safe to repeat, and to cut short.

    Refused calls are left as they were counted: nothing else knows them.
    """
    now = datetime.now(UTC)
    end = min(until or now, now)
    if end <= since:
        raise click.ClickException("--from has to lie before --to, and before now.")
    services().books.usage.roll_up()
    hours = calls = 0
    told_at = time.monotonic()
    next_hour = hour_of(since)
    try:
        for hour, counted in services().books.usage.rebuild(Span(since, end)):
            hours, calls, next_hour = hours + 1, calls + counted, hour + HOUR
            if time.monotonic() - told_at > _TOLD_EVERY_S:
                told_at = time.monotonic()
                click.echo(f"{_text(hour)}: {hours:,} hours, {calls:,} calls", err=True)
    except KeyboardInterrupt:
        raise click.ClickException(
            f"Cut short. What was counted is kept; go on with --from {_text(next_hour)}"
        ) from None
    if as_json:
        click.echo(json.dumps({"hours": hours, "calls": calls, "until": end.isoformat()}))
    else:
        click.echo(f"Counted again: {hours:,} hours with {calls:,} calls.")


def _text(hour: datetime) -> str:
    return f"{hour:%Y-%m-%dT%H:%M}"
