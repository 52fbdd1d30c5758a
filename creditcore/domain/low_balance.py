"""When a person is told that a wallet runs low: once for each time it falls below a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import ZERO, Credits

USUAL_THRESHOLD = Credits.of(100)
"""What a customer who has bought credits is told at, until they choose otherwise: $1.00."""

MAX_THRESHOLD = Credits.of(1_000_000)

# Re-armed above threshold + 20 %: a balance that swings around the threshold is told of once.
_REARMED_NUMERATOR, _REARMED_DENOMINATOR = 6, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LowBalanceWatch:
    """One person's wish to be told when what a wallet can spend falls below a threshold.

    Attributes:
        person_id: Who is told.
        threshold: Below what; zero where they want to be told nothing.
        below_since: When it was found below; None while it is armed.
        crossings: How often it was found to fall below, which names each mail.
    """

    wallet_id: str
    person_id: str
    threshold: Credits
    below_since: datetime | None = None
    crossings: int = 0

    def __post_init__(self) -> None:
        if not ZERO <= self.threshold <= MAX_THRESHOLD:
            raise InvalidRequestError(
                "Choose an amount from $0 to $10,000 to be told at; 0 is never.", param="threshold"
            )

    def look(self, available: Credits, *, at: datetime) -> Self:
        """Return the watch after looking at a wallet; the same where nothing is new."""
        if self.below_since is None:
            if available < self.threshold:
                return replace(self, below_since=at, crossings=self.crossings + 1)
            return self
        if self._is_well_above(available):
            return replace(self, below_since=None)
        return self

    def _is_well_above(self, available: Credits) -> bool:
        return (
            available.microcredits * _REARMED_DENOMINATOR
            > self.threshold.microcredits * _REARMED_NUMERATOR
        )
