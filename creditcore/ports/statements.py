"""What a wallet's balance was, and what changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self

from creditcore.domain.ledger import Transfer
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span


@dataclass(frozen=True, slots=True)
class Charged:
    """How many calls ended in a stretch of time, and what they cost; these can be added."""

    calls: int = 0
    charged: Credits = ZERO

    def __add__(self, other: Self) -> Self:
        return replace(self, calls=self.calls + other.calls, charged=self.charged + other.charged)


class Statements(Protocol):
    """Reads a wallet's history as of one instant: the first question in a transaction sets it."""

    def posted_at(self, wallet_id: str, at: datetime) -> Credits:
        """Return the balance that was posted just before an instant.

        Raises:
            WalletNotFoundError: No wallet has this id.
        """

    def movements(
        self, wallet_id: str, *, since: datetime, until: datetime, limit: int
    ) -> Sequence[Transfer]:
        """Return what came into a wallet or left it in a period beside calls, oldest first."""

    def charges(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[Charged]:
        """Return what the calls cost that ended in each span, which may begin within an hour.

        Whole hours are quick to add up, however many calls ended in them.
        """
