"""Receipts and credit notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.documents import Document, DocumentKind


class Documents(Protocol):
    """Every receipt and credit note, in sequences without gaps."""

    def next_number(self, kind: DocumentKind) -> int:
        """Take the next number of a sequence, which is locked until the transaction ends.

        A transaction that does not commit gives it back, so that there are no gaps.
        """

    def add(self, document: Document) -> None:
        """Add a document.

        Raises:
            ReferenceConflictError: Its number is taken, or what it is of has one.
        """

    def find(self, kind: DocumentKind, reference: str) -> Document | None:
        """Return the document of a purchase or a refund."""

    def numbered(self, kind: DocumentKind, number: int) -> Document | None:
        """Return the document of this number."""

    def of_purchase(self, purchase: str) -> Sequence[Document]:
        """Return the receipt of a purchase and its credit notes, as they were issued."""

    def of_purchases(self, purchases: Collection[str]) -> Sequence[Document]:
        """Return the documents of many purchases, by kind and number."""

    def issued(
        self, *, since: datetime, until: datetime, after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        """Return documents issued in a period, by kind and number.

        Args:
            since: The beginning of the period.
            until: Its end, which does not belong to it.
            after: Only documents after this kind and number; ``("", 0)`` for the first.
            limit: How many.
        """

    def unstamped(
        self, *, since: Mapping[str, datetime], after: tuple[str, int], limit: int
    ) -> Sequence[Document]:
        """Return documents without a fiscal stamp, by kind and number.

        Args:
            since: The currencies that are looked at, and from when on each is.
            after: Only documents after this kind and number; ``("", 0)`` for the first.
            limit: How many.
        """

    def purchases_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return credited purchases, begun since then, that have no receipt."""

    def refunds_without(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return purchases with a refund, processed since then, that has no credit note."""
