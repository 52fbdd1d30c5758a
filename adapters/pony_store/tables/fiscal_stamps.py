"""Fiscal stamps in ``fiscal_stamps``, by the kind and number of their document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.fiscal_stamps import FiscalStamp

from ..instants import instant, micros
from ..session import Session, marks

_TEXTS = ("control_unit", "invoice_number", "internal_data", "signature", "qr")
_COLUMNS = (*_TEXTS, "signed_at", "kind", "number")


class PonyFiscalStamps:
    """At most one for each document."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, documents: Collection[Document]) -> Mapping[str, FiscalStamp]:
        found = {}
        for kind in DocumentKind:
            names = {row.number: row.name for row in documents if row.kind is kind}
            rows = self._session.rows_in(
                f"SELECT {', '.join(_COLUMNS)} FROM fiscal_stamps"
                f" WHERE kind = '{kind.value}' AND number IN ({{names}})",
                names,
            )
            found.update({names[row.number]: _from_row(row) for row in rows})
        return found

    def add(self, document: Document, stamp: FiscalStamp) -> None:
        self._write(
            f"INSERT INTO fiscal_stamps ({', '.join(_COLUMNS)}) VALUES ({marks(len(_COLUMNS))})",
            document,
            stamp,
        )

    def replace(self, document: Document, stamp: FiscalStamp) -> None:
        changes = ", ".join(f"{name} = ?" for name in (*_TEXTS, "signed_at"))
        self._write(
            f"UPDATE fiscal_stamps SET {changes} WHERE kind = ? AND number = ?", document, stamp
        )

    def _write(self, sql: str, document: Document, stamp: FiscalStamp) -> None:
        with self._session.translated(taken=ReferenceConflictError(stamp.invoice_number)):
            self._session.change(
                sql,
                (
                    *(getattr(stamp, name) for name in _TEXTS),
                    micros(stamp.signed_at),
                    document.kind.value,
                    document.number,
                ),
            )


def _from_row(row: Any) -> FiscalStamp:
    return FiscalStamp(
        **{name: getattr(row, name) for name in _TEXTS}, signed_at=instant(row.signed_at)
    )
