"""Days, hours and periods that a command is asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from creditcore.domain.periods import Span

# Longer ones take hours, and are most often a year that was mistyped.
LONGEST = timedelta(days=366)


class Instant(click.DateTime):
    """Reads an instant of UTC in the years 2000 to 2999.

    At the ends of the calendar nothing can be taken off a date, or added to it.
    """

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return what was typed, in UTC.

        Raises:
            click.BadParameter: It is in none of the formats, or in another millennium.
        """
        instant = super().convert(value, param, ctx)
        if not 2000 <= instant.year < 3000:
            self.fail(f"{value!r} is not in the years 2000 to 2999.", param, ctx)
        return datetime.replace(instant, tzinfo=UTC)


def period_of(since: datetime, until: datetime, *, now: datetime) -> Span:
    """Return a period of the past; its end is now where it was to lie in the future.

    Args:
        since: Its beginning, in UTC.
        until: Its end, which does not belong to it, in UTC.
        now: The time.

    Raises:
        click.ClickException: It is empty, has not begun, or is longer than ``LONGEST``.
    """
    end = min(until, now)
    if since >= end:
        raise click.ClickException("--from has to lie before --to, and before now.")
    if end - since > LONGEST:
        raise click.ClickException(f"Ask about {LONGEST.days} days at a time at most.")
    return Span(since, end)
