"""Fiscal stamps: at most one beside each document, each number on one document."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.fiscal_stamps import FiscalStamp
from creditcore.domain.money import Money
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_purchase, a_wallet

STAMP = FiscalStamp(
    control_unit="KRACU0100000001",
    invoice_number="KRACU0100000001/152",
    internal_data="TE68SLA234J5EAV3N56988LJQ7",
    signature="V249J39CFJ48HE2W",
    signed_at=NOON + MINUTE,
    qr="https://etims.kra.go.ke/common/link/etims/receipt/indexEtimsReceiptData?Data=P05100V249",
)


def a_document(
    number: int = 1, *, kind: DocumentKind = DocumentKind.RECEIPT, currency: str = "KES"
) -> Document:
    """Return a receipt, or a credit note, of the purchase of its number."""
    is_receipt = kind is DocumentKind.RECEIPT
    return Document(
        kind=kind,
        number=number,
        reference=f"{'cc' if is_receipt else 'rf'}-{number}",
        purchase=f"cc-{number}",
        owner_id="owner-of-wallet-1",
        original=None if is_receipt else number,
        issued_at=NOON + (number - 1) * MINUTE,
        gross=Money(129000, currency),
        tax_rate=1600,
        tax=Money(17793, currency),
        details={"buyer_name": "Amina"},
    )


def issue(transactions: Transactions, *documents: Document) -> None:
    """Store documents, and the purchases that they are of."""
    wallet = a_wallet(transactions)
    with transactions.begin() as tx:
        for purchase in dict.fromkeys(document.purchase for document in documents):
            tx.purchases.add(a_purchase(wallet, reference=purchase))
        for document in documents:
            tx.documents.add(document)
        tx.commit()


class FiscalStampsContract:
    """What a tax authority's device said of documents."""

    def test_a_stamp_comes_back_as_it_was_stored(self, transactions: Transactions) -> None:
        receipt, bare = a_document(1), a_document(2)
        note = a_document(1, kind=DocumentKind.CREDIT_NOTE)
        issue(transactions, receipt, bare, note)
        of_note = replace(STAMP, control_unit="", invoice_number="N1", internal_data="", qr="")

        with transactions.begin() as tx:
            tx.fiscal_stamps.add(receipt, STAMP)
            tx.fiscal_stamps.add(note, of_note)
            tx.commit()

        with transactions.begin() as tx:
            found = tx.fiscal_stamps.of([receipt, bare, note])
            assert found == {receipt.name: STAMP, note.name: of_note}
            assert tx.fiscal_stamps.of([bare]) == {}
            assert tx.fiscal_stamps.of([]) == {}

    def test_a_document_has_one_stamp(self, transactions: Transactions) -> None:
        receipt = a_document()
        issue(transactions, receipt)
        with transactions.begin() as tx:
            tx.fiscal_stamps.add(receipt, STAMP)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
            tx.fiscal_stamps.add(receipt, replace(STAMP, invoice_number="153"))

        with transactions.begin() as tx:
            assert tx.fiscal_stamps.of([receipt]) == {receipt.name: STAMP}

    def test_an_invoice_number_is_one_documents(self, transactions: Transactions) -> None:
        first, second = a_document(1), a_document(2)
        issue(transactions, first, second)
        other = replace(STAMP, invoice_number="153")
        with transactions.begin() as tx:
            tx.fiscal_stamps.add(first, STAMP)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
            tx.fiscal_stamps.add(second, replace(STAMP, signature="ANOTHER"))
        with transactions.begin() as tx:
            tx.fiscal_stamps.add(second, other)
            tx.commit()
        with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
            tx.fiscal_stamps.replace(second, STAMP)

        with transactions.begin() as tx:
            assert tx.fiscal_stamps.of([second]) == {second.name: other}

    def test_a_stamp_is_replaced_whole(self, transactions: Transactions) -> None:
        receipt = a_document()
        issue(transactions, receipt)
        later = STAMP.signed_at + timedelta(seconds=1)
        right = FiscalStamp(
            control_unit="",
            invoice_number=STAMP.invoice_number,
            internal_data="",
            signature="",
            signed_at=later,
            qr="plain text",
        )

        with transactions.begin() as tx:
            tx.fiscal_stamps.add(receipt, STAMP)
            tx.fiscal_stamps.replace(receipt, right)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.fiscal_stamps.of([receipt]) == {receipt.name: right}

    def test_documents_without_a_stamp_are_listed_by_currency_and_day(
        self, transactions: Transactions
    ) -> None:
        early, stamped, due = a_document(1), a_document(2), a_document(3)
        dollars, later = a_document(4, currency="USD"), a_document(5)
        note = a_document(3, kind=DocumentKind.CREDIT_NOTE)
        issue(transactions, early, stamped, due, dollars, later, note)
        with transactions.begin() as tx:
            tx.fiscal_stamps.add(stamped, STAMP)
            tx.commit()
        since = {"KES": stamped.issued_at}

        with transactions.begin() as tx:
            unstamped = tx.documents.unstamped
            first = unstamped(since=since, after=("", 0), limit=2)
            rest = unstamped(since=since, after=("receipt", due.number), limit=2)
            both = unstamped(since=since | {"USD": NOON}, after=("receipt", 0), limit=9)
            assert unstamped(since={}, after=("", 0), limit=9) == []

        assert (list(first), list(rest)) == ([note, due], [later])
        assert list(both) == [due, dollars, later]

    def test_documents_are_found_by_number_and_by_purchase(
        self, transactions: Transactions
    ) -> None:
        first, second = a_document(1), a_document(2)
        note = a_document(2, kind=DocumentKind.CREDIT_NOTE)
        issue(transactions, first, second, note)

        with transactions.begin() as tx:
            assert tx.documents.numbered(DocumentKind.RECEIPT, 2) == second
            assert tx.documents.numbered(DocumentKind.CREDIT_NOTE, 1) is None
            assert list(tx.documents.of_purchases(["cc-2", "cc-9"])) == [note, second]
            assert list(tx.documents.of_purchases([])) == []
