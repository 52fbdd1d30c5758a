"""Who is told when which wallet runs low, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from creditcore.domain.ledger import Wallet
from creditcore.domain.low_balance import LowBalanceWatch

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class MemoryLowBalanceWatches:
    """Watches by wallet."""

    table: dict[str, LowBalanceWatch]
    wallets: Mapping[str, Wallet]

    def find(self, wallet_id: str) -> LowBalanceWatch | None:
        return self.table.get(wallet_id)

    def lock(self, wallet_id: str) -> LowBalanceWatch | None:
        return self.table.get(wallet_id)

    def save(self, watch: LowBalanceWatch) -> None:
        self.table[watch.wallet_id] = watch

    def crossed(self, *, limit: int) -> Sequence[str]:
        """Return wallets for which looking changes the watch."""
        found = [
            watch.wallet_id
            for watch in self.table.values()
            if watch.look(self.wallets[watch.wallet_id].available, at=_ANY_TIME) != watch
        ]
        return sorted(found)[:limit]
