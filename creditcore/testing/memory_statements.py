"""A wallet's history, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.errors import WalletNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Transfer, TransferKind, Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span
from creditcore.ports.statements import Charged

_OF_CALLS = (TransferKind.CHARGE, TransferKind.WRITE_OFF)


@dataclass
class MemoryStatements:
    """Reads a wallet's history as of one instant."""

    wallets: Mapping[str, Wallet]
    transfers: Mapping[str, Transfer]
    holds: Mapping[str, Hold]

    def posted_at(self, wallet_id: str, at: datetime) -> Credits:
        if wallet_id not in self.wallets:
            raise WalletNotFoundError(wallet_id)
        total = ZERO
        for transfer in self.transfers.values():
            if transfer.at < at and transfer.to_account == wallet_id:
                total += transfer.amount
            if transfer.at < at and transfer.from_account == wallet_id:
                total -= transfer.amount
        return total

    def movements(
        self, wallet_id: str, *, since: datetime, until: datetime, limit: int
    ) -> Sequence[Transfer]:
        found = [
            row
            for row in self.transfers.values()
            if since <= row.at < until
            and row.kind not in _OF_CALLS
            and wallet_id in (row.from_account, row.to_account)
        ]
        return sorted(found, key=lambda row: (row.at, row.reference))[:limit]

    def charges(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[Charged]:
        return [self._charged(wallet_id, span) for span in spans]

    def _charged(self, wallet_id: str, span: Span) -> Charged:
        ended = [
            hold.charged
            for hold in self.holds.values()
            if hold.wallet_id == wallet_id
            and hold.closed_at
            and span.since <= hold.closed_at < span.until
        ]
        return Charged(len(ended), sum(ended, ZERO))
