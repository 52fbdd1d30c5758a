"""Add up calls by the hour, so that pages need not read every call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasUsageHours
from creditcore.ports.transactions import Begins
from creditcore.ports.usage_hours import Step

LAG = timedelta(seconds=60)
"""A call's end is decided a moment before it is committed. After this it is, as a rule."""

_LOOKED_BACK = timedelta(hours=26)
_MENDED_AT_ONCE = 50
_STEPS_AT_ONCE = 500


class RollUpUsageTransaction(HasUsageHours, Commits, Protocol):
    """What the roll-up reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUpUsage:
    """Keep the hours of usage equal to the calls. Any number of workers may."""

    transactions: Begins[RollUpUsageTransaction]
    clock: Clock

    def roll_up(self) -> int:
        """Count the calls that ended since the last time; return how many.

        Each hour is a transaction of its own, so that a long history is worked off in steps
        that may be cut short anywhere.
        """
        until = self.clock.now() - LAG
        calls = 0
        for _ in range(_STEPS_AT_ONCE):
            step = self._step(until)
            calls += step.calls
            if step.until >= until:
                break
        return calls

    def mend(self) -> int:
        """Count the hours again in which a call turned up late; return how many there were.

        A process may have stood still between deciding a call's end and committing it, the
        clocks of two hosts may differ, and a cost may be written off long after a call.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            span = Span(hour_of(now - _LOOKED_BACK), now)
            hours = tx.usage_hours.differing_hours(span, limit=_MENDED_AT_ONCE)
        for _ in self.recount(hours):
            pass
        return len(hours)

    def rebuild(self, span: Span) -> Iterator[tuple[datetime, int]]:
        """Count every hour of a span again; yield each with its number of calls.

        Each hour is a transaction of its own. What was done stays done if it is cut short.
        """
        return self.recount(_hours(span))

    def recount(self, hours: Iterable[datetime]) -> Iterator[tuple[datetime, int]]:
        """Count some hours again; yield each with its number of calls."""
        for hour in hours:
            with self.transactions.begin() as tx:
                calls = tx.usage_hours.recount(hour)
                tx.commit()
            yield hour, calls

    def _step(self, until: datetime) -> Step:
        with self.transactions.begin() as tx:
            step = tx.usage_hours.roll_up(until=until)
            tx.commit()
        return step


def _hours(span: Span) -> Iterator[datetime]:
    hour = hour_of(span.since)
    while hour < span.until:
        yield hour
        hour += HOUR
