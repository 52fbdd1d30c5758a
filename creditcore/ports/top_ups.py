"""Standing orders for top-ups, and the attempts that were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.top_ups import TopUp, TopUpOrder


class TopUps(Protocol):
    """One order for each wallet, at most. The caller who writes here locked the order."""

    def find(self, wallet_id: str) -> TopUpOrder | None:
        """Return the order of a wallet without locking it."""

    def lock(self, wallet_id: str) -> TopUpOrder | None:
        """Return the order of a wallet, locked until the transaction ends."""

    def save(self, order: TopUpOrder) -> None:
        """Add an order, or write one that is there."""

    def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return wallets whose order may begin an attempt: on, at rest no more, and low."""

    def by_card(self, card_id: str) -> Sequence[str]:
        """Return wallets whose order charges a card, on or not."""

    def add(self, top_up: TopUp) -> None:
        """Add an attempt.

        Raises:
            ReferenceConflictError: It was begun before.
        """

    def attempt(self, reference: str) -> TopUp | None:
        """Return the attempt of a purchase; None where that was no top-up."""

    def mark(self, reference: str, *, failed: bool) -> None:
        """Note whether an attempt failed: then nothing was paid, and it counts for no cap."""

    def recent(self, wallet_id: str, *, since: datetime) -> Sequence[TopUp]:
        """Return the attempts of a wallet since a time, oldest first."""
