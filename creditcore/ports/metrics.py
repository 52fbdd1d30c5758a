"""Figures of calls, for monitoring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits


class CallMetrics(Protocol):
    """Counts calls as they end. It is on their path: it is quick, and raises nothing."""

    def ended(self, call: Call, outcome: Outcome, *, charged: Credits) -> None:
        """Count a call that was let in and has ended, well or not."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure as it is now.

    Attributes:
        labels: What tells it from the others of its name.
    """

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """How far something is taken that a process has only so much of.

    Attributes:
        taken: How many are in use.
        size: How many there are.
        waiting: How many wait for one.
    """

    name: str
    taken: int
    size: int
    waiting: int = 0


Measure = Callable[[], PoolUse]
"""Says how far a pool is taken now; it is quick, and raises nothing."""


class Metrics(CallMetrics, Protocol):
    """The figures of a process, and of its host."""

    def stalled(self) -> None:
        """Count a time that the event loop stood still."""

    def pools(self, uses: Iterable[PoolUse]) -> None:
        """Keep how far the pools of this process are taken now.

        Calls that ended until then are in what any process tells from here on.
        """

    def scrape(self, gauges: Iterable[Gauge]) -> bytes:
        """Return everything as text in Prometheus' format, with some gauges of this moment."""


class NoMetrics:
    """Counts nothing."""

    def ended(self, call: Call, outcome: Outcome, *, charged: Credits) -> None:
        """Forget it."""
