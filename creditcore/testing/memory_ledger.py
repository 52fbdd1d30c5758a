"""Wallets, holds and transfers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.books import Books, Footprint, counters_read
from creditcore.domain.errors import ReferenceConflictError, StoreBusyError, WalletNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Transfer, TransferKind, Wallet
from creditcore.testing.memory_tables import MemoryTables, chosen, latest


@dataclass
class MemoryLedger:
    """Wallets, holds and transfers."""

    tables: MemoryTables

    def add_wallet(self, wallet: Wallet) -> None:
        wallet.require_empty()
        taken = any(other.owner_id == wallet.owner_id for other in self.tables.wallets.values())
        if taken or wallet.id in self.tables.wallets:
            raise ReferenceConflictError(wallet.id)
        self.tables.wallets[wallet.id] = wallet

    def find_wallet(self, wallet_id: str) -> Wallet:
        if wallet_id not in self.tables.wallets:
            raise WalletNotFoundError(wallet_id)
        return self.tables.wallets[wallet_id]

    def find_wallet_of(self, owner_id: str) -> Wallet:
        for wallet in self.tables.wallets.values():
            if wallet.owner_id == owner_id:
                return wallet
        raise WalletNotFoundError(owner_id)

    def find_wallets_of(self, owner_ids: Collection[str]) -> Mapping[str, Wallet]:
        found = self.tables.wallets.values()
        return {wallet.owner_id: wallet for wallet in found if wallet.owner_id in owner_ids}

    def lock(self, footprint: Footprint) -> Books:
        """Return the books; the one writer has everything locked already."""
        keys = {
            key.key_hash: key
            for key in self.tables.keys.values()
            if key.key_hash in footprint.key_hashes
        }
        wanted = {*footprint.wallet_ids, *(key.wallet_id for key in keys.values())}
        holds = chosen(self.tables.holds, [*footprint.hold_references, *footprint.new_references])
        counted = counters_read(footprint, keys.values(), holds.values())
        return Books(
            keys=keys,
            wallets=chosen(self.tables.wallets, wanted),
            holds=holds,
            counters=chosen(self.tables.counters, counted),
            transfers=chosen(self.tables.transfers, footprint.transfer_references),
        )

    def write(self, books: Books) -> None:
        """Write what changed."""
        for reference in books.new_holds:
            if reference in self.tables.holds:
                raise ReferenceConflictError(reference)
        for reference, (before, _) in books.changed_holds.items():
            if self.tables.holds.get(reference) != before:
                raise StoreBusyError("Another transaction changed a hold; nothing was written.")
        for name, (counter, _) in books.changed_counters.items():
            if self.tables.counters.get(name) != counter:
                raise StoreBusyError("Another transaction changed a counter.")
        for transfer in books.new_transfers:
            if transfer.reference in self.tables.transfers:
                raise ReferenceConflictError(transfer.reference)
            self.tables.transfers[transfer.reference] = transfer
        self.tables.holds.update(books.new_holds)
        self.tables.holds.update({name: hold for name, (_, hold) in books.changed_holds.items()})
        self.tables.wallets.update(books.changed_wallets)
        self.tables.counters.update(
            {name: now for name, (_, now) in books.changed_counters.items()}
        )
        for alert in books.new_alerts:
            self.tables.alerts.setdefault(alert.key, alert)

    def expired_holds(self, *, now: datetime, limit: int) -> Sequence[Hold]:
        overdue = [
            hold for hold in self.tables.holds.values() if hold.is_open and hold.expires_at <= now
        ]
        return sorted(overdue, key=lambda hold: hold.expires_at)[:limit]

    def transfers_of(
        self, wallet_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        of_calls = (TransferKind.CHARGE, TransferKind.WRITE_OFF)
        found = [
            transfer
            for transfer in self.tables.transfers.values()
            if transfer.wallet_id == wallet_id and transfer.kind not in of_calls
        ]
        return latest(found, lambda row: (row.at, row.reference), limit, before)
