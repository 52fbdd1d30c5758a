"""Who is told when which wallet runs low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.low_balance import LowBalanceWatch


class LowBalanceWatches(Protocol):
    """One watch for each wallet, at most."""

    def find(self, wallet_id: str) -> LowBalanceWatch | None:
        """Return the watch of a wallet without locking it."""

    def lock(self, wallet_id: str) -> LowBalanceWatch | None:
        """Return the watch of a wallet, locked until the transaction ends."""

    def save(self, watch: LowBalanceWatch) -> None:
        """Add a watch, or write one that is there."""

    def crossed(self, *, limit: int) -> Sequence[str]:
        """Return wallets that crossed their threshold since they were last looked at.

        Those that are armed and below it, and those that are not and well above it again.
        """
