"""Counts of requests and tokens per minute, outside the books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.rates import Charge, Standing


class RateCounters(Protocol):
    """What limits per minute have left. Money never depends on it."""

    def take(self, charges: Sequence[Charge]) -> Sequence[Standing]:
        """Take from all of these limits, or from none.

        Raises:
            LimitReachedError: One of them has not enough left; the first is named.
        """

    def correct(self, charge: Charge, amount: int) -> None:
        """Take so much more of a limit than was charged; a negative amount gives back.

        What has come back by itself meanwhile is not given back again.
        """
