"""Enter what a tax authority's device said of receipts and credit notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.documents import Document, Seller, parse_document_name
from creditcore.domain.errors import (
    DocumentNotFoundError,
    InvalidRequestError,
    ReferenceConflictError,
)
from creditcore.domain.fiscal_stamps import FiscalStamp, StampedDocument
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import (
    Commits,
    HasActivity,
    HasDocuments,
    HasFiscalStamps,
    HasPurchases,
)
from creditcore.ports.transactions import Begins

_ROWS = 500


class StampDocumentsTransaction(
    HasActivity, HasDocuments, HasFiscalStamps, HasPurchases, Commits, Protocol
):
    """What stamping documents reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What entering a stamp did.

    Attributes:
        is_new: False where the document had this very stamp already.
    """

    document: Document
    stamp: FiscalStamp
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StampDocuments:
    """Put stamps beside documents, show them, and list the documents that wait for one.

    Stamps are entered by the operator, who brings the documents to the device; nothing here asks
    a tax authority.
    """

    transactions: Begins[StampDocumentsTransaction]
    clock: Clock
    seller: Seller

    def enter(self, name: str, given: Mapping[str, str], *, actor: Actor = SYSTEM) -> Stamped:
        """Put a stamp beside a document. The same again changes nothing.

        Args:
            name: The document's number as it is printed: ``R-000042``.
            given: The texts of ``FiscalStamp.entered``, by their names.
            actor: Who enters it.

        Raises:
            DocumentNotFoundError: No document has this number.
            InvalidRequestError: The stamp makes no sense, the document has another one, or its
                invoice number is another document's.
        """
        stamp = self._read(given)
        with self.transactions.begin() as tx:
            document = _locked(tx, name)
            present = tx.fiscal_stamps.of([document]).get(document.name)
            if present == stamp:
                return Stamped(document=document, stamp=stamp, is_new=False)
            if present is not None:
                raise InvalidRequestError(
                    f"{document.name} has another stamp already, {present.invoice_number}. "
                    "Replace it, with a reason, if it was entered wrongly."
                )
            _write(tx.fiscal_stamps.add, document, stamp)
            self._note(tx, Act.DOCUMENT_STAMPED, document, actor, after=_facts(stamp))
            tx.commit()
        return Stamped(document=document, stamp=stamp, is_new=True)

    def replace(
        self, name: str, given: Mapping[str, str], *, reason: str, actor: Actor = SYSTEM
    ) -> Stamped:
        """Put another stamp in the place of one that was entered wrongly.

        The earlier one stays in the activity log, with the reason. The same again changes nothing.

        Raises:
            DocumentNotFoundError: No document has this number.
            InvalidRequestError: No reason is given, the stamp makes no sense, there is none to
                replace, or its invoice number is another document's.
        """
        if not reason.strip():
            raise InvalidRequestError("Replacing a stamp has a reason.", param="reason")
        stamp = self._read(given)
        with self.transactions.begin() as tx:
            document = _locked(tx, name)
            present = tx.fiscal_stamps.of([document]).get(document.name)
            if present is None:
                raise InvalidRequestError(f"{document.name} has no stamp to replace: enter it.")
            if present == stamp:
                return Stamped(document=document, stamp=stamp, is_new=False)
            _write(tx.fiscal_stamps.replace, document, stamp)
            self._note(
                tx,
                Act.STAMP_REPLACED,
                document,
                actor,
                before=_facts(present),
                after=_facts(stamp) | {"reason": reason.strip()},
            )
            tx.commit()
        return Stamped(document=document, stamp=stamp, is_new=True)

    def beside(self, documents: Sequence[Document]) -> Sequence[StampedDocument]:
        """Return documents with their stamps, and whether they still wait for one."""
        with self.transactions.begin() as tx:
            stamps = tx.fiscal_stamps.of(documents)
        return [
            StampedDocument(
                document=document,
                stamp=stamps.get(document.name),
                awaits_stamp=document.name not in stamps
                and self.seller.needs_stamp(document.gross.currency, document.issued_at),
            )
            for document in documents
        ]

    def waiting(self) -> Iterator[Document]:
        """Stream the documents that need a stamp and have none, a page in memory at a time."""
        after = ("", 0)
        while True:
            with self.transactions.begin() as tx:
                page = tx.documents.unstamped(
                    since=self.seller.stamped_since, after=after, limit=_ROWS
                )
            yield from page
            if len(page) < _ROWS:
                return
            after = (page[-1].kind.value, page[-1].number)

    def _read(self, given: Mapping[str, str]) -> FiscalStamp:
        texts = {"invoice_number": "", "signed_at": "", **given}
        return FiscalStamp.entered(**texts, now=self.clock.now())

    def _note(
        self,
        tx: StampDocumentsTransaction,
        act: Act,
        document: Document,
        actor: Actor,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object],
    ) -> None:
        tx.activity.add(
            Activity(
                actor=actor,
                act=act,
                target=f"document:{document.name}",
                person_id=document.owner_id,
                before=before or {},
                after=after,
                at=self.clock.now(),
            )
        )


def _locked(tx: StampDocumentsTransaction, name: str) -> Document:
    """Return a document, locked: no other transaction writes its stamp before this one ends."""
    kind, number = parse_document_name(name)
    document = tx.documents.numbered(kind, number)
    if document is None:
        raise DocumentNotFoundError(name)
    tx.purchases.lock(document.purchase)
    return document


def _write(
    write: Callable[[Document, FiscalStamp], None], document: Document, stamp: FiscalStamp
) -> None:
    try:
        write(document, stamp)
    except ReferenceConflictError as error:
        raise InvalidRequestError(
            f"The invoice number {stamp.invoice_number} stands on another document already.",
            param="invoice_number",
        ) from error


def _facts(stamp: FiscalStamp) -> dict[str, object]:
    return {
        "control_unit": stamp.control_unit,
        "invoice_number": stamp.invoice_number,
        "internal_data": stamp.internal_data,
        "signature": stamp.signature,
        "signed_at": stamp.signed_at.isoformat(),
        "qr": stamp.qr,
    }
