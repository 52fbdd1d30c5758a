"""Receipts and credit notes, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.fiscal_stamps import FiscalStamp
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.refunds import Refund, RefundState


@dataclass
class MemoryDocuments:
    """Every receipt and credit note, in sequences without gaps."""

    table: dict[tuple[DocumentKind, str], Document]
    purchases: Mapping[str, Purchase]
    refunds: Mapping[str, Refund]
    stamps: Mapping[str, FiscalStamp]

    def next_number(self, kind: DocumentKind) -> int:
        """Return the next number; the one writer has everything locked already."""
        return 1 + max((row.number for row in self._of(kind)), default=0)

    def add(self, document: Document) -> None:
        key = (document.kind, document.reference)
        taken = any(row.number == document.number for row in self._of(document.kind))
        if taken or key in self.table:
            raise ReferenceConflictError(document.reference)
        self.table[key] = document

    def find(self, kind: DocumentKind, reference: str) -> Document | None:
        return self.table.get((kind, reference))

    def numbered(self, kind: DocumentKind, number: int) -> Document | None:
        return next((row for row in self._of(kind) if row.number == number), None)

    def of_purchase(self, purchase: str) -> Sequence[Document]:
        return [
            row
            for kind in (DocumentKind.RECEIPT, DocumentKind.CREDIT_NOTE)
            for row in sorted(self._of(kind), key=lambda row: row.number)
            if row.purchase == purchase
        ]

    def of_purchases(self, purchases: Collection[str]) -> Sequence[Document]:
        found = [row for row in self.table.values() if row.purchase in purchases]
        return sorted(found, key=_place)

    def issued(
        self, *, since: datetime, until: datetime, after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        found = [
            row
            for row in self.table.values()
            if since <= row.issued_at < until and _place(row) > after
        ]
        return sorted(found, key=_place)[:limit]

    def unstamped(
        self, *, since: Mapping[str, datetime], after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        found = [
            row
            for row in self.table.values()
            if row.gross.currency in since
            and row.issued_at >= since[row.gross.currency]
            and row.name not in self.stamps
            and _place(row) > after
        ]
        return sorted(found, key=_place)[:limit]

    def purchases_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        found = [
            row
            for row in self.purchases.values()
            if row.state in (PurchaseState.PAID, PurchaseState.REVERSED)
            and row.created_at >= since
            and (DocumentKind.RECEIPT, row.reference) not in self.table
        ]
        ordered = sorted(found, key=lambda row: (row.closed_at or row.created_at, row.reference))
        return [row.reference for row in ordered][:limit]

    def refunds_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        found = [
            row
            for row in self.refunds.values()
            if row.state is RefundState.PROCESSED
            and row.updated_at >= since
            and (DocumentKind.CREDIT_NOTE, row.id) not in self.table
            and (DocumentKind.RECEIPT, row.purchase) in self.table
        ]
        return [row.purchase for row in sorted(found, key=lambda row: row.updated_at)][:limit]

    def _of(self, kind: DocumentKind) -> list[Document]:
        return [row for row in self.table.values() if row.kind is kind]


def _place(document: Document) -> tuple[str, int]:
    return document.kind.value, document.number
