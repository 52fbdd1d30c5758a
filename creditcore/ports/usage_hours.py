"""What each wallet used, hour by hour: rolled up from calls, for pages that add them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import NOTHING_MEASURED, Tally, Timing

NO_KEY = ""
"""Stands for the key of calls that were made without one."""

NO_MODEL = ""
"""Stands for the model of holds that are for no call."""


@dataclass(frozen=True, slots=True)
class UsageOf:
    """Whose usage is asked for: a wallet's, of one of its keys or of one model if they are named.

    Attributes:
        key_id: ``NO_KEY`` asks for calls without one; None for all.
        model: None asks for all.
    """

    wallet_id: str
    key_id: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one key used of one model in one span.

    Attributes:
        span: The number of the span among those that were asked for, from 0.
        oldest_call: When the first of its calls began, which may be before the span; None
            where none ended in it.
    """

    span: int
    key_id: str
    model: str
    tally: Tally
    oldest_call: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """How far a roll-up has come.

    Attributes:
        until: Calls that ended before this are counted.
        calls: How many were counted in this step.
    """

    until: datetime
    calls: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How many calls of one key for one model were refused in one hour, before they began."""

    wallet_id: str
    hour: datetime
    key_id: str
    model: str
    refused_402: int = 0
    refused_429: int = 0
    refused_other: int = 0


@dataclass(frozen=True, slots=True)
class LastUse:
    """When a key was used last, to the hour, and for which model."""

    hour: datetime
    model: str


class UsageHours(Protocol):
    """Figures of calls by wallet, hour, key and model.

    Calls that ended before ``rolled_until`` are counted in rows of their hour. Those that
    ended since are read from the calls themselves, so that every answer here is complete.
    """

    def rolled_until(self) -> datetime:
        """Return up to when calls are counted in rows."""

    def roll_up(self, *, until: datetime) -> Step:
        """Count the calls that ended since the last roll-up, of at most one hour.

        No other process rolls up until the transaction ends. A repeat counts nothing twice.
        """

    def recount(self, hour: datetime) -> int:
        """Count an hour's calls again, as far as it is rolled up; return how many there are.

        Its refused calls are kept as they are: nothing else knows them.
        """

    def differing_hours(self, span: Span, *, limit: int) -> Sequence[datetime]:
        """Return hours whose rows are not what their calls say, oldest first."""

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        """Add refused calls to the rows of their hours."""

    def shares(
        self, whose: UsageOf, spans: Sequence[Span], *, by_key: bool = True, by_model: bool = True
    ) -> Sequence[Share]:
        """Return what was used in each span, by key and model.

        Where it is not told apart by one of them, that is empty in every share. Spans
        begin and end on whole hours, in order and without overlapping.
        """

    def timings(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Timing]:
        """Return how long calls took in each span."""

    def last_uses(self, wallet_id: str) -> Mapping[str, LastUse]:
        """Return when each key that was ever used was used last."""


def timing_by_span(found: Mapping[int, Timing], spans: Sequence[Span]) -> list[Timing]:
    """Return one timing for each span, where some were found."""
    return [found.get(number, NOTHING_MEASURED) for number in range(len(spans))]
