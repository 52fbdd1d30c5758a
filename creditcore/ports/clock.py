"""The time: hidden inputs, made visible."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant in UTC, aware, to the microsecond."""


class MonotonicClock(Protocol):
    """Measures how long things take. Unlike the time of day, it is never set."""

    def monotonic(self) -> float:
        """Return seconds since some moment, never fewer than before."""


class SteadyClock(Clock, MonotonicClock, Protocol):
    """Tells the time, and how much of it passes."""
