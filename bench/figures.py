"""Several rounds of one measurement, as one figure and how far apart they were."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Figure:
    """A median, and the rounds around it.

    Attributes:
        median: The middle round.
        low: The lowest round.
        high: The highest round.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> Self:
        """Summarise rounds; there is at least one."""
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    @property
    def spread(self) -> float:
        """Half the distance between the extremes, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0

    def over(self, other: Figure | None) -> float | None:
        """Return how many times as much this is, if there is something to compare with."""
        return self.median / other.median if other and other.median else None
