"""Receipts and credit notes: numbers without gaps, tax that adds up, each issued once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import Money, Purchase
from creditcore.domain.books import Footprint
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.documents import (
    Document,
    DocumentKind,
    Seller,
    credit_note_of,
    parse_tax_rates,
    receipt_of,
    tax_in,
)
from creditcore.domain.errors import InvalidRequestError, PurchaseNotFoundError
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import Credits
from creditcore.domain.people import Person
from creditcore.domain.purchases import PurchaseState
from creditcore.domain.refunds import Refund, RefundState
from creditcore.domain.teams import Team
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON, a_purchase, at_once
from creditcore.testing.memory import FixedClock
from creditcore.usecases.payments.issue_documents import IssueDocuments

SELLER = Seller(name="Jambo AI Ltd", address="Nairobi", tax_number="P051", tax_rates={"KES": 1600})
WALLET = Wallet(id="wallet-1", owner_id="owner-of-wallet-1")


@dataclass
class Office:
    store: Transactions
    clock: FixedClock
    documents: IssueDocuments

    def purchase(self, reference: str, state: PurchaseState = PurchaseState.PAID) -> Purchase:
        purchase = replace(
            a_purchase(WALLET, reference=reference),
            state=state,
            paid=Money(129000, "KES"),
            channel="mobile_money",
            provider_id="77",
            receipt_code="SKL7XYZ12A",
            closed_at=NOON,
        )
        with self.store.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()
        return purchase

    def refund(self, purchase: str, number: int, amount: int, state: RefundState) -> None:
        refund = a_refund(number, amount, state=state, purchase=purchase)
        with self.store.begin() as tx:
            tx.purchases.lock(purchase)
            tx.refunds.save(refund)
            tx.commit()

    def all(self) -> list[Document]:
        day = timedelta(days=1)
        return list(self.documents.issued(since=NOON - day, until=NOON + day))


def a_refund(
    number: int,
    amount: int,
    *,
    state: RefundState = RefundState.PROCESSED,
    purchase: str = "cc-1",
) -> Refund:
    return Refund(
        id=f"rf-{number}",
        purchase=purchase,
        wallet_id="wallet-1",
        amount=Money(amount, "KES"),
        state=state,
        credits=Credits(0),
        provider_id=f"9{number}",
        reason="asked for it",
        created_at=NOON,
        updated_at=NOON,
    )


@pytest.fixture
def office(any_store: Transactions) -> Office:
    clock = FixedClock(NOON)
    with any_store.begin() as tx:
        tx.ledger.add_wallet(WALLET)
        tx.commit()
    documents = IssueDocuments(transactions=any_store, clock=clock, seller=SELLER)
    return Office(any_store, clock, documents)


def test_a_receipt_names_everything_as_it_was(office: Office) -> None:
    office.purchase("cc-1")

    [receipt] = office.documents.issue("cc-1", owner_id=WALLET.owner_id)
    changed = replace(office.documents, seller=Seller(name="Another"))
    assert changed.issue("cc-1") == [receipt]

    assert (receipt.name, receipt.rate_text) == ("R-000001", "16")
    assert (receipt.gross, receipt.tax) == (Money(129000, "KES"), Money(17793, "KES"))
    assert receipt.net + receipt.tax == receipt.gross
    assert receipt.details == {
        "seller_name": "Jambo AI Ltd",
        "seller_address": "Nairobi",
        "seller_tax_number": "P051",
        "buyer_name": "",
        "buyer_email": "amina@example.com",
        "buyer_company": "",
        "buyer_address": "",
        "buyer_tax_number": "",
        "value": "USD 10.00",
        "rate": "129 KES per USD",
        "credits": "2000",
        "channel": "mobile_money",
        "provider_id": "77",
        "receipt_code": "SKL7XYZ12A",
        "paid_at": NOON.isoformat(),
        "balance_before": "$0.00",
        "balance_after": "$0.00",
    }


def test_a_receipt_tells_the_balance_before_and_after(office: Office) -> None:
    office.purchase("cc-1")
    for reference, amount, at in (
        ("gift", 150, NOON - timedelta(minutes=1)),
        ("purchase:cc-1:sales", 1000, NOON),
        ("later", 70, NOON + timedelta(seconds=1)),
    ):
        with office.store.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={WALLET.id}))
            books.post(
                [
                    grant(
                        WALLET.id,
                        Credits.of(amount),
                        source=PlatformAccount.SALES,
                        kind=TransferKind.PURCHASE,
                        reference=reference,
                        at=at,
                    )
                ]
            )
            tx.ledger.write(books)
            tx.commit()

    [receipt] = office.documents.issue("cc-1")

    assert receipt.details["balance_before"] == "$1.50"
    assert receipt.details["balance_after"] == "$11.50"


JUA = BuyerDetails(company="Jua Labs Ltd", address="Moi Avenue 1", tax_number="P052")


def buyer_of(document: Document) -> dict[str, str]:
    return {
        name.removeprefix("buyer_"): text
        for name, text in document.details.items()
        if name.startswith("buyer_")
    }


def test_documents_name_the_buyer_as_they_were_when_the_receipt_was_issued(office: Office) -> None:
    amina = Person(
        id=WALLET.owner_id, email="amina@example.com", created_at=NOON, name="Amina", buyer=JUA
    )
    with office.store.begin() as tx:
        tx.people.add(amina)
        tx.commit()
    office.purchase("cc-1")
    [receipt] = office.documents.issue("cc-1")

    with office.store.begin() as tx:
        assert tx.people.lock(amina.id) == amina
        tx.people.save(replace(amina, name="A.", buyer=BuyerDetails(company="Another")))
        tx.commit()
    office.refund("cc-1", 1, 500, RefundState.PROCESSED)
    same, note = office.documents.issue("cc-1")
    office.purchase("cc-2")
    [later] = office.documents.issue("cc-2")

    assert same == receipt
    assert buyer_of(note) == buyer_of(receipt)
    assert receipt.buyer_lines == [
        "Jua Labs Ltd", "Amina", "Moi Avenue 1", "Tax number P052", "amina@example.com",
    ]  # fmt: skip
    assert later.buyer_lines == ["Another", "A.", "amina@example.com"]


def test_a_receipt_of_a_team_has_the_details_of_the_member_who_paid(office: Office) -> None:
    payer = Person(id="p-1", email="amina@example.com", created_at=NOON, name="Amina", buyer=JUA)
    with office.store.begin() as tx:
        tx.teams.add(Team(id=WALLET.owner_id, name="Jua Labs Ltd", created_at=NOON))
        tx.people.add(payer)
        tx.commit()
    office.purchase("cc-1")

    [receipt] = office.documents.issue("cc-1")

    assert buyer_of(receipt) == {
        "name": "Jua Labs Ltd", "email": payer.email, "company": "Jua Labs Ltd",
        "address": "Moi Avenue 1", "tax_number": "P052",
    }  # fmt: skip
    assert receipt.buyer_lines.count("Jua Labs Ltd") == 1


def test_a_receipt_of_a_team_has_the_team_s_own_details_where_it_has_any(office: Office) -> None:
    payer = Person(id="p-1", email="amina@example.com", created_at=NOON, name="Amina", buyer=JUA)
    own = BuyerDetails(company="Kijani Works Ltd", tax_number="P077")
    with office.store.begin() as tx:
        tx.teams.add(Team(id=WALLET.owner_id, name="Kijani", created_at=NOON, buyer=own))
        tx.people.add(payer)
        tx.commit()
    office.purchase("cc-1")
    [receipt] = office.documents.issue("cc-1")

    with office.store.begin() as tx:
        tx.teams.save(replace(tx.teams.lock(WALLET.owner_id), buyer=BuyerDetails()))
        tx.commit()
    office.refund("cc-1", 1, 500, RefundState.PROCESSED)
    same, note = office.documents.issue("cc-1")
    office.purchase("cc-2")
    [later] = office.documents.issue("cc-2")

    # Nothing is mixed: the payer's address is not the address of the team's company.
    assert receipt.buyer_lines == [
        "Kijani Works Ltd", "Kijani", "Tax number P077", "amina@example.com",
    ]  # fmt: skip
    assert same == receipt
    assert buyer_of(note) == buyer_of(receipt)
    assert later.buyer_lines[0] == JUA.company


def test_a_receipt_of_a_team_names_the_team(office: Office) -> None:
    with office.store.begin() as tx:
        tx.teams.add(Team(id=WALLET.owner_id, name="Jua Labs", created_at=NOON))
        tx.commit()
    office.purchase("cc-1")

    [receipt] = office.documents.issue("cc-1")

    assert receipt.details["buyer_name"] == "Jua Labs"


def test_numbers_have_no_gaps_when_many_are_issued_at_once(office: Office) -> None:
    for number in range(12):
        office.purchase(f"cc-{number}")

    at_once(12, lambda number: office.documents.issue(f"cc-{number}"))
    at_once(12, lambda number: office.documents.issue(f"cc-{number}"))

    assert [row.number for row in office.all()] == list(range(1, 13))


def test_a_transaction_that_fails_gives_its_number_back(office: Office) -> None:
    office.purchase("cc-1")
    with office.store.begin() as tx:
        assert tx.documents.next_number(DocumentKind.RECEIPT) == 1

    [receipt] = office.documents.issue("cc-1")

    assert receipt.number == 1


def test_the_worker_issues_what_is_missing_once(office: Office) -> None:
    office.purchase("cc-1")
    office.purchase("cc-2", PurchaseState.REVERSED)
    office.purchase("cc-3", PurchaseState.UNDER_REVIEW)
    assert office.documents.issue_due() == 2
    office.refund("cc-2", 1, 129000, RefundState.PROCESSED)
    office.refund("cc-1", 2, 500, RefundState.PENDING)
    assert office.documents.issue_due() == 1
    assert office.documents.issue_due() == 0

    note, *receipts = office.all()

    assert [row.name for row in receipts] == ["R-000001", "R-000002"]
    assert (note.name, note.original, note.gross) == ("C-000001", 2, Money(129000, "KES"))
    assert note.tax == receipts[1].tax
    assert note.details["reason"] == "asked for it"


def test_no_person_gets_the_receipt_of_another(office: Office) -> None:
    office.purchase("cc-1")

    with pytest.raises(PurchaseNotFoundError):
        office.documents.issue("cc-1", owner_id="somebody else")
    with pytest.raises(PurchaseNotFoundError):
        office.documents.issue("cc-9")

    assert office.all() == []


def test_what_was_not_paid_has_no_receipt(office: Office) -> None:
    office.purchase("cc-1", PurchaseState.UNDER_REVIEW)

    with pytest.raises(InvalidRequestError, match="not paid"):
        office.documents.issue("cc-1")


@given(gross=st.integers(1, 10**12), rate=st.integers(0, 10_000))
def test_tax_is_rounded_half_up(gross: int, rate: int) -> None:
    tax = tax_in(Money(gross, "KES"), rate).minor_units

    # The share that is tax lies within half a minor unit of it.
    assert (2 * tax - 1) * (10_000 + rate) <= 2 * gross * rate < (2 * tax + 1) * (10_000 + rate)


@given(parts=st.lists(st.integers(1, 40_000), min_size=1, max_size=9), rate=st.integers(0, 2500))
def test_credit_notes_add_up_to_the_receipt(parts: list[int], rate: int) -> None:
    paid = Money(sum(parts), "KES")
    purchase = replace(a_purchase(WALLET), state=PurchaseState.REVERSED, paid=paid, closed_at=NOON)
    seller = replace(SELLER, tax_rates={"KES": rate})
    receipt = receipt_of(purchase, number=1, seller=seller, buyer={}, at=NOON)
    gone = Money(0, "KES")
    tax = net = Money(0, "KES")

    for number, part in enumerate(parts, start=1):
        note = credit_note_of(
            a_refund(number, part), receipt, number=number, refunded_before=gone, at=NOON
        )
        gone, tax, net = gone + note.gross, tax + note.tax, net + note.net
        assert note.tax.minor_units >= 0

    assert (gone, tax, net) == (receipt.gross, receipt.tax, receipt.net)


def test_a_refund_under_way_has_no_credit_note() -> None:
    purchase = replace(
        a_purchase(WALLET), state=PurchaseState.PAID, paid=Money(5, "KES"), closed_at=NOON
    )
    receipt = receipt_of(purchase, number=1, seller=SELLER, buyer={}, at=NOON)

    with pytest.raises(InvalidRequestError, match="no credit note yet"):
        credit_note_of(
            a_refund(1, 5, state=RefundState.PENDING),
            receipt,
            number=1,
            refunded_before=Money(0, "KES"),
            at=NOON,
        )


def test_tax_rates_are_read_in_per_cent() -> None:
    assert parse_tax_rates("KES=16, NGN=7.5,USD=0") == {"KES": 1600, "NGN": 750, "USD": 0}
    assert parse_tax_rates("") == {}


@pytest.mark.parametrize("text", ["KES", "KES=", "kes=16", "KES=101", "KES=-1", "KES=1.234", "=1"])
def test_rates_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|tax rate"):
        parse_tax_rates(text)
