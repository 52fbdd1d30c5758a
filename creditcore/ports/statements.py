"""What a wallet's balance was, and what changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.ledger import Transfer
from creditcore.domain.money import Credits


@dataclass(frozen=True, slots=True)
class ChargedHour:
    """What the calls cost that ended in one hour.

    Attributes:
        hour: Its beginning, in UTC.
    """

    hour: datetime
    calls: int
    charged: Credits


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

    def charges(self, wallet_id: str, *, since: datetime, until: datetime) -> Sequence[ChargedHour]:
        """Return what calls cost in a period, by the hour in which they ended."""
