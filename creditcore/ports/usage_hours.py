"""What each wallet used, hour by hour: rolled up from calls, for pages that add them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.holds import Hold
from creditcore.domain.periods import Span
from creditcore.domain.refusals import tally_of_refused
from creditcore.domain.usage_hours import NOTHING_MEASURED, Tally, Timing

NO_KEY = ""
"""Stands for the key of calls that were made without one, by whomever."""

_OF_MEMBER = "member:"

NO_MODEL = ""
"""Stands for the model of holds that are for no call."""


FIGURES_OF_ENDPOINTS = (
    "calls",
    "failed",
    "cancelled",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "charge",
)
"""What is known of calls by their route."""

FIGURES_OF_FAILED = (
    "calls",
    "failed",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "charge",
)
"""What is known of failed calls by their error."""


@dataclass(frozen=True, slots=True)
class UsageOf:
    """Whose usage is asked for: a wallet's, of one of its keys or of one model if they are named.

    Attributes:
        key_id: ``NO_KEY`` asks for calls without one, ``no_key_of`` for those of one member; None
            for all.
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
        key_id: Of calls without a key what ``no_key_of`` says of the member who made them, and
            ``NO_KEY`` of a person's own.
        oldest_call: When the first of its calls began, which may be before the span; None
            where none ended in it.
    """

    span: int
    key_id: str
    model: str
    tally: Tally
    oldest_call: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many calls of one model failed, or were refused, by one error in one span.

    Attributes:
        span: As in a ``Share``.
        error: What the domain's ``error_of`` says of each that failed, and the code of the answer
            of each that was refused.
        tally: How many there were and, of those that failed, what ``FIGURES_OF_FAILED`` names.
    """

    span: int
    model: str
    error: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class EndpointShare:
    """What calls of one route came to in one span.

    Attributes:
        span: As in a ``Share``.
        tally: Without what routes are not counted by: cache writes, reasoning, what we bore.
    """

    span: int
    endpoint: str
    tally: Tally


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
    """How many calls of one key for one model were refused alike in one hour, before they began.

    Attributes:
        status, error: The status of the answer, and its code.
    """

    wallet_id: str
    hour: datetime
    key_id: str
    model: str
    status: int
    error: str
    calls: int = 1

    @property
    def tally(self) -> Tally:
        """What they count for."""
        return tally_of_refused(self.status, self.calls)


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
        """Return hours whose rows, or failures, are not what their calls say; oldest first."""

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        """Add refused calls to the rows of their hours."""

    def shares(
        self,
        whose: UsageOf,
        spans: Sequence[Span],
        *,
        by_key: bool = True,
        by_model: bool = True,
        whole: Span | None = None,
    ) -> Sequence[Share]:
        """Return what was used in each span, by key and model.

        Where it is not told apart by one of them, that is empty in every share. Spans
        begin and end on whole hours, in order and without overlapping.

        Args:
            whose: Whose usage.
            spans: From when to when.
            by_key: Whether it is told apart by key.
            by_model: Whether it is told apart by model.
            whole: One span more, numbered after the others and told apart by both, as at the
                same instant; it may overlap them.
        """

    def timings(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Timing]:
        """Return how long calls took in each span."""

    def failures(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        """Return how many calls failed in each span, by model and error; spans as in ``shares``."""

    def refusals(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        """Return how many calls were refused in each span, by model and error.

        They add up to what ``shares`` says of them.
        """

    def endpoints(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[EndpointShare]:
        """Return what calls came to in each span by their route; spans as in ``shares``."""

    def last_uses(self, wallet_id: str) -> Mapping[str, LastUse]:
        """Return when each key that was ever used was used last."""


def no_key_of(member_id: str) -> str:
    """Return what stands for the key of calls that a member of a team made without one."""
    return f"{_OF_MEMBER}{member_id}"


def member_without_key(key_id: str) -> str:
    """Return whose calls without a key this stands for; empty for a key, and for ``NO_KEY``."""
    return key_id.removeprefix(_OF_MEMBER) if key_id.startswith(_OF_MEMBER) else ""


def is_no_key(key_id: str) -> bool:
    """Whether this stands for calls without a key, of a member or of anybody."""
    return key_id == NO_KEY or key_id.startswith(_OF_MEMBER)


def key_or_none(key_id: str) -> str:
    """Return a key as it is, and ``NO_KEY`` for what stands for calls without one."""
    return NO_KEY if is_no_key(key_id) else key_id


def key_of(hold: Hold) -> str:
    """Return what stands for the key of a call: its id or, without one, who made it."""
    if hold.call is None:
        return NO_KEY
    return hold.call.key_id or (no_key_of(hold.member_id) if hold.member_id else NO_KEY)


def timing_by_span(found: Mapping[int, Timing], spans: Sequence[Span]) -> list[Timing]:
    """Return one timing for each span, where some were found."""
    return [found.get(number, NOTHING_MEASURED) for number in range(len(spans))]
