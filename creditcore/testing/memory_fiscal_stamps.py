"""Fiscal stamps beside receipts and credit notes, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from creditcore.domain.documents import Document
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.fiscal_stamps import FiscalStamp


@dataclass
class MemoryFiscalStamps:
    """At most one for each document."""

    table: dict[str, FiscalStamp]

    def of(self, documents: Collection[Document]) -> Mapping[str, FiscalStamp]:
        names = {document.name for document in documents}
        return {name: stamp for name, stamp in self.table.items() if name in names}

    def add(self, document: Document, stamp: FiscalStamp) -> None:
        if document.name in self.table:
            raise ReferenceConflictError(document.name)
        self.replace(document, stamp)

    def replace(self, document: Document, stamp: FiscalStamp) -> None:
        for name, other in self.table.items():
            if name != document.name and other.invoice_number == stamp.invoice_number:
                raise ReferenceConflictError(stamp.invoice_number)
        self.table[document.name] = stamp
