"""A clock and ids that do as they are told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FixedClock:
    """A clock that moves when it is told to.

    Attributes:
        at: The time of day, which may also be set, forwards or back.
        elapsed: How much time has passed, which cannot.
    """

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    elapsed: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Return how many seconds have passed."""
        return self.elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
        self.elapsed += by


class SequentialIds:
    """Names that count upwards."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """Return the next UUID-shaped name."""
        return f"00000000-0000-7000-8000-{next(self._numbers):012d}"

    def new_reference(self, prefix: str) -> str:
        """Return the next reference."""
        return f"{prefix}-{next(self._numbers)}"
