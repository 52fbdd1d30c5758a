"""Looks for contradictions in the tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from creditcore.domain.ledger import PlatformAccount
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.audit import Breach
from creditcore.testing.memory_tables import MemoryTables


@dataclass
class MemoryAudit:
    """Looks for contradictions in the tables."""

    tables: MemoryTables

    def breaches(self, invariant: str, *, limit: int) -> Sequence[Breach]:
        check = {
            "I1": self._posted,
            "I2": self._held,
            "I5": self._charged_once,
            "I4": self._granted_once,
            "I9": self._owed,
            "I10": self._reversed,
        }.get(invariant)
        return [] if check is None else list(itertools.islice(check(), limit))

    def counts(self) -> dict[str, int]:
        names = ("wallets", "transfers", "holds", "purchases")
        return {name: len(getattr(self.tables, name)) for name in names}

    def _posted(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            moved = sum(
                transfer.amount.microcredits * ((transfer.to_account == wallet.id) * 2 - 1)
                for transfer in self.tables.transfers.values()
                if wallet.id in (transfer.from_account, transfer.to_account)
            )
            if moved != wallet.posted.microcredits:
                yield _breach("I1", f"wallets {wallet.id}", wallet.posted, Credits(moved))

    def _held(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            held = sum(
                hold.amount.microcredits
                for hold in self.tables.holds.values()
                if hold.is_open and hold.wallet_id == wallet.id
            )
            if held != wallet.held.microcredits:
                yield _breach("I2", f"wallets {wallet.id}", wallet.held, Credits(held))

    def _charged_once(self) -> Iterator[Breach]:
        for hold in self.tables.holds.values():
            transfer = self.tables.transfers.get(f"charge:{hold.reference}")
            moved = transfer.amount if transfer else ZERO
            if moved != hold.charged or (hold.is_open and transfer):
                yield _breach("I5", f"usage_logs {hold.reference}", hold.charged, moved)

    def _granted_once(self) -> Iterator[Breach]:
        for purchase in self.tables.purchases.values():
            paid = purchase.state in (PurchaseState.PAID, PurchaseState.REVERSED)
            for account, amount in (
                (PlatformAccount.SALES, purchase.offer.sold),
                (PlatformAccount.BONUS, purchase.offer.bonus),
            ):
                reference = f"purchase:{purchase.reference}:{account}"
                transfer = self.tables.transfers.get(reference)
                moved = transfer.amount if transfer else ZERO
                due = amount if paid else ZERO
                if moved != due:
                    yield _breach("I4", f"transfers {reference}", moved, due)

    def _owed(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            owed = sum(
                transfer.amount.microcredits
                * (
                    (transfer.from_account == PlatformAccount.RECEIVABLE)
                    - (transfer.to_account == PlatformAccount.RECEIVABLE)
                )
                for transfer in self.tables.transfers.values()
                if transfer.wallet_id == wallet.id
            )
            if owed != wallet.owed.microcredits:
                yield _breach("I9", f"wallets {wallet.id}", wallet.owed, Credits(owed))

    def _reversed(self) -> Iterator[Breach]:
        for refund in self.tables.refunds.values():
            moved = sum(
                transfer.amount.microcredits
                * ((transfer.to_account == PlatformAccount.REFUNDS) * 2 - 1)
                for transfer in self.tables.transfers.values()
                if transfer.reference.startswith(f"refund:{refund.id}:")
            )
            if moved != refund.credits.microcredits:
                yield _breach("I10", f"refunds {refund.id}", refund.credits, Credits(moved))
        for purchase in self.tables.purchases.values():
            refunds = [row for row in self.tables.refunds.values() if row.in_force]
            total = sum((r.credits for r in refunds if r.purchase == purchase.reference), ZERO)
            whole = purchase.state is PurchaseState.REVERSED
            if total > purchase.offer.credits or (whole and total != purchase.offer.credits):
                yield _breach(
                    "I10", f"transactions {purchase.reference}", total, purchase.offer.credits
                )


def _breach(invariant: str, row: str, stored: Credits, expected: Credits) -> Breach:
    return Breach(
        invariant,
        row,
        f"stored {stored.microcredits}, expected {expected.microcredits} microcredits",
    )
