"""Fiscal stamps beside receipts and credit notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from creditcore.domain.documents import Document
from creditcore.domain.fiscal_stamps import FiscalStamp


class FiscalStamps(Protocol):
    """At most one for each document. The caller who writes here has its purchase locked."""

    def of(self, documents: Collection[Document]) -> Mapping[str, FiscalStamp]:
        """Return the stamps of documents by the documents' names, as far as they have one."""

    def add(self, document: Document, stamp: FiscalStamp) -> None:
        """Put a stamp beside a document that has none.

        Raises:
            ReferenceConflictError: It has one, or the stamp's invoice number is another's.
        """

    def replace(self, document: Document, stamp: FiscalStamp) -> None:
        """Put another stamp in the place of the one that a document has.

        Raises:
            ReferenceConflictError: The stamp's invoice number is another document's.
        """
