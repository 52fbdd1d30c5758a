"""Receipts and credit notes in ``documents``, and their sequences in ``document_numbers``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.money import Money

from ..instants import instant, micros
from ..session import Session, marks

_COLUMNS = (
    "kind",
    "number",
    "reference",
    "purchase_ref",
    "owner_id",
    "original",
    "issued_at",
    "minor_units",
    "currency",
    "tax_rate",
    "tax_minor_units",
    "details",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM documents"


class PonyDocuments:
    """Every receipt and credit note, in sequences without gaps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next_number(self, kind: DocumentKind) -> int:
        """Take the next number: who is next waits here until this transaction has ended."""
        [row] = self._session.rows(
            "UPDATE document_numbers SET latest = latest + 1 WHERE kind = ? RETURNING latest",
            (kind.value,),
        )
        return int(row.latest)

    def add(self, document: Document) -> None:
        with self._session.translated(taken=ReferenceConflictError(document.reference)):
            self._session.change(
                f"INSERT INTO documents ({', '.join(_COLUMNS)}) VALUES ({marks(len(_COLUMNS))})",
                _values(document),
            )

    def find(self, kind: DocumentKind, reference: str) -> Document | None:
        rows = self._session.rows(
            f"{_SELECT} WHERE kind = ? AND reference = ?", (kind.value, reference)
        )
        return _from_row(rows[0]) if rows else None

    def numbered(self, kind: DocumentKind, number: int) -> Document | None:
        rows = self._session.rows(f"{_SELECT} WHERE kind = ? AND number = ?", (kind.value, number))
        return _from_row(rows[0]) if rows else None

    def of_purchase(self, purchase: str) -> Sequence[Document]:
        rows = self._session.rows(
            f"{_SELECT} WHERE purchase_ref = ? ORDER BY kind DESC, number", (purchase,)
        )
        return [_from_row(row) for row in rows]

    def of_purchases(self, purchases: Collection[str]) -> Sequence[Document]:
        rows = self._session.rows_in(f"{_SELECT} WHERE purchase_ref IN ({{names}})", purchases)
        return [_from_row(row) for row in sorted(rows, key=lambda row: (row.kind, row.number))]

    def issued(
        self, *, since: datetime, until: datetime, after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        kind, number = after
        rows = self._session.rows(
            f"{_SELECT} WHERE issued_at >= ? AND issued_at < ?"
            " AND (kind > ? OR (kind = ? AND number > ?)) ORDER BY kind, number LIMIT ?",
            (micros(since), micros(until), kind, kind, number, limit),
        )
        return [_from_row(row) for row in rows]

    def unstamped(
        self, *, since: Mapping[str, datetime], after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        if not since:
            return []
        kind, number = after
        wanted = " OR ".join(["(currency = ? AND issued_at >= ?)"] * len(since))
        values = [value for code, at in since.items() for value in (code, micros(at))]
        rows = self._session.rows(
            f"{_SELECT} d WHERE ({wanted}) AND (kind > ? OR (kind = ? AND number > ?))"
            " AND NOT EXISTS (SELECT 1 FROM fiscal_stamps s"
            " WHERE s.kind = d.kind AND s.number = d.number) ORDER BY kind, number LIMIT ?",
            (*values, kind, kind, number, limit),
        )
        return [_from_row(row) for row in rows]

    def purchases_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        # The words of the partial index of credited purchases.
        rows = self._session.rows(
            "SELECT paystack_ref FROM transactions p"
            " WHERE state IN ('paid', 'reversed') AND created_at >= ? AND NOT EXISTS ("
            " SELECT 1 FROM documents d WHERE d.kind = 'receipt' AND d.reference = p.paystack_ref)"
            " ORDER BY closed_at, paystack_ref LIMIT ?",
            (micros(since), limit),
        )
        return [row.paystack_ref for row in rows]

    def refunds_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        rows = self._session.rows(
            "SELECT r.purchase_ref AS purchase_ref FROM refunds r"
            " JOIN documents d ON d.kind = 'receipt' AND d.reference = r.purchase_ref"
            " WHERE r.state = 'processed' AND r.updated_at >= ? AND NOT EXISTS ("
            " SELECT 1 FROM documents n WHERE n.kind = 'credit_note' AND n.reference = r.id)"
            " ORDER BY r.updated_at, r.id LIMIT ?",
            (micros(since), limit),
        )
        return [row.purchase_ref for row in rows]


def _values(document: Document) -> tuple[object, ...]:
    return (
        document.kind.value,
        document.number,
        document.reference,
        document.purchase,
        document.owner_id,
        document.original,
        micros(document.issued_at),
        document.gross.minor_units,
        document.gross.currency,
        document.tax_rate,
        document.tax.minor_units,
        json.dumps(dict(document.details), sort_keys=True),
    )


def _from_row(row: Any) -> Document:
    return Document(
        kind=DocumentKind(row.kind),
        number=row.number,
        reference=row.reference,
        purchase=row.purchase_ref,
        owner_id=row.owner_id,
        original=row.original,
        issued_at=instant(row.issued_at),
        gross=Money(row.minor_units, row.currency),
        tax_rate=row.tax_rate,
        tax=Money(row.tax_minor_units, row.currency),
        details=json.loads(row.details),
    )
