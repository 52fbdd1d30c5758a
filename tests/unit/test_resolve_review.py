"""A payment that was held back is decided once: credited, given back, or left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from creditcore import ConfirmPayment, Credits, Money, PaymentInbox
from creditcore.domain.activity import COMMAND_LINE, Act
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    ReviewNotFoundError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO
from creditcore.domain.people import Person, Role
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.domain.reviews import Review, ReviewKind, ReviewState
from creditcore.ports.payment_list import ListedPayment
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON, a_purchase, at_once
from creditcore.testing.memory import FixedClock, MemoryPaymentGateway, SequentialIds
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.books.audit_books import AuditBooks
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.reconcile_payments import ReconcilePayments
from creditcore.usecases.payments.refund_payment import RefundPayment
from creditcore.usecases.payments.resolve_review import ResolveReview
from tests.unit.test_reconcile_payments import DAY, SINCE, UNTIL, ListOfRows

OWNER = "owner-of-wallet-1"
AMINA = Person(id=OWNER, email="amina@example.com", role=Role.USER, created_at=NOON)
PRICE = Money(129000, "KES")


@dataclass
class Desk:
    store: Transactions
    provider: MemoryPaymentGateway
    refund_gateway: MemoryRefundGateway
    inbox: PaymentInbox
    reviews: ResolveReview
    reconciliation: ReconcilePayments

    def pay(
        self,
        reference: str,
        amount: Money,
        status: PaymentStatus = PaymentStatus.SUCCEEDED,
    ) -> None:
        """Pay, and have the webhook processed."""
        self.provider.payments[reference] = Payment(
            reference=reference, status=status, amount=amount, provider_id=f"7{reference[3:]}"
        )
        event = self.inbox.receive(f"paid {reference}".encode(), "signed")
        assert event is not None
        assert self.inbox.process(event)

    def review(self, reference: str) -> Review:
        with self.store.begin() as tx:
            return tx.reviews.lock(reference)

    def posted(self) -> Credits:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet("wallet-1").posted

    def state(self, reference: str) -> PurchaseState:
        with self.store.begin() as tx:
            return tx.purchases.find(reference).state

    def assert_clean(self) -> None:
        report = AuditBooks(transactions=self.store).audit()
        assert report.clean, report


@pytest.fixture
def desk(any_store: Transactions) -> Desk:
    provider, clock, ids = MemoryPaymentGateway(), FixedClock(UNTIL), SequentialIds()
    with any_store.begin() as tx:
        tx.people.add(AMINA)
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id=OWNER))
        wallet = tx.ledger.find_wallet("wallet-1")
        for reference in ("cc-1", "cc-2"):
            tx.purchases.add(a_purchase(wallet, reference=reference))
        tx.commit()
    payments = ConfirmPayment(transactions=any_store, gateway=provider, clock=clock)
    refund_gateway = MemoryRefundGateway(provider)
    follower = FollowRefunds(
        transactions=any_store,
        payments=payments,
        gateway=provider,
        refund_gateway=refund_gateway,
        clock=clock,
        ids=ids,
    )
    inbox = PaymentInbox(
        transactions=any_store, gateway=provider, payments=payments, refunds=follower, clock=clock
    )
    reviews = ResolveReview(
        transactions=any_store,
        gateway=provider,
        refund_gateway=refund_gateway,
        refunds=RefundPayment(
            transactions=any_store, gateway=refund_gateway, refunds=follower, ids=ids
        ),
        clock=clock,
    )
    reconciliation = ReconcilePayments(
        transactions=any_store,
        payments=payments,
        refunds=follower,
        gateway=provider,
        payment_list=ListOfRows(),
        clock=clock,
    )
    return Desk(any_store, provider, refund_gateway, inbox, reviews, reconciliation)


def test_what_is_held_back_waits_once(desk: Desk) -> None:
    desk.pay("cc-1", Money(64500, "KES"))
    desk.pay("cc-2", Money(1000, "USD"))
    desk.pay("zz-3", Money(700, "USD"))

    waiting = {row.reference: (row.kind, row.amount) for row in desk.reviews.waiting(limit=9)}

    assert waiting == {
        "cc-1": (ReviewKind.UNDERPAID, Money(64500, "KES")),
        "cc-2": (ReviewKind.WRONG_CURRENCY, Money(1000, "USD")),
        "zz-3": (ReviewKind.UNKNOWN_REFERENCE, Money(700, "USD")),
    }
    assert desk.posted() == ZERO


def test_an_underpaid_purchase_is_credited_in_proportion(desk: Desk) -> None:
    desk.pay("cc-1", Money(64500, "KES"))

    granted = desk.reviews.credit("cc-1", reason="the rest came in cash", actor=COMMAND_LINE)

    assert granted == desk.posted() == Credits.of(1000)
    assert desk.state("cc-1") is PurchaseState.PAID
    assert desk.review("cc-1").state is ReviewState.CREDITED
    with desk.store.begin() as tx:
        [activity] = tx.activity.recent(limit=9)
    assert (activity.act, activity.actor.id) == (Act.PAYMENT_CREDITED, "command line")
    assert activity.after["reason"] == "the rest came in cash"
    assert activity.person_id == OWNER
    desk.assert_clean()


def test_what_is_disputed_while_it_waits_is_not_credited(desk: Desk) -> None:
    def hear(state: str) -> None:
        told = f'{{"id": "9", "minor_units": 64500, "currency": "KES", "state": "{state}"}}'
        event = desk.inbox.receive(f"dispute.{state} cc-1 {told}".encode(), "signed")
        assert event is not None
        assert desk.inbox.process(event)

    desk.pay("cc-1", Money(64500, "KES"))
    hear("pending")

    with pytest.raises(InvalidRequestError, match="disputes it"):
        desk.reviews.credit("cc-1", reason="the rest came in cash")
    hear("failed")

    assert desk.reviews.credit("cc-1", reason="the dispute is won") == Credits.of(1000)
    desk.assert_clean()


def test_another_currency_needs_a_number_of_credits(desk: Desk) -> None:
    desk.pay("cc-2", Money(1000, "USD"))

    with pytest.raises(InvalidRequestError, match="how many credits"):
        desk.reviews.credit("cc-2", reason="agreed")
    assert desk.posted() == ZERO
    desk.reviews.credit("cc-2", reason="agreed", credits_=Credits.of(1234))

    assert desk.posted() == Credits.of(1234)
    desk.assert_clean()


def test_an_unknown_payment_is_credited_to_whom_the_operator_says(desk: Desk) -> None:
    desk.pay("zz-3", Money(700, "USD"))

    with pytest.raises(InvalidRequestError, match="none of ours"):
        desk.reviews.credit("zz-3", reason="hers")
    desk.reviews.credit("zz-3", reason="hers", credits_=Credits.of(1400), person=AMINA)

    assert desk.posted() == Credits.of(1400)
    assert desk.state("zz-3") is PurchaseState.PAID
    desk.assert_clean()


@pytest.mark.parametrize("reference", ["cc-1", "zz-3"])
def test_a_decision_is_made_once(desk: Desk, reference: str) -> None:
    desk.pay(reference, Money(64500, "KES"))
    desk.reviews.dismiss(reference, reason="a test payment of ours")

    for decide in (
        lambda: desk.reviews.dismiss(reference, reason="again"),
        lambda: desk.reviews.refund(reference, reason="again"),
        lambda: desk.reviews.credit(
            reference, reason="again", credits_=Credits.of(1), person=AMINA
        ),
    ):
        with pytest.raises(InvalidRequestError, match="was dismissed before"):
            decide()

    assert desk.posted() == ZERO
    assert desk.reviews.waiting(limit=9) == []


def test_many_credit_at_once_and_one_does(desk: Desk) -> None:
    desk.pay("cc-1", Money(64500, "KES"))

    at_once(5, lambda _: desk.reviews.credit("cc-1", reason="agreed"))

    assert desk.posted() == Credits.of(1000)
    desk.assert_clean()


@pytest.mark.parametrize("reference", ["cc-1", "zz-3"])
def test_money_goes_back_once(desk: Desk, reference: str) -> None:
    desk.pay(reference, Money(64500, "KES"))

    assert desk.reviews.refund(reference, reason="too little") is ReviewState.REFUNDED

    [made] = desk.refund_gateway.refunds[f"7{reference[3:]}"]
    assert made.amount == Money(64500, "KES")
    assert desk.review(reference).state is ReviewState.REFUNDED
    assert desk.posted() == ZERO
    desk.assert_clean()


@pytest.mark.parametrize("reference", ["cc-1", "zz-3"])
def test_a_lost_answer_is_looked_up(desk: Desk, reference: str) -> None:
    desk.pay(reference, Money(64500, "KES"))
    desk.refund_gateway.is_silent = True

    assert desk.reviews.refund(reference, reason="too little") is ReviewState.REFUNDED

    assert len(desk.refund_gateway.refunds[f"7{reference[3:]}"]) == 1


def test_a_request_that_got_lost_is_not_sent_again_by_itself(desk: Desk) -> None:
    desk.pay("zz-3", Money(64500, "KES"))
    desk.refund_gateway.is_deaf = True
    assert desk.reviews.refund("zz-3", reason="too little") is ReviewState.REFUNDING
    with pytest.raises(InvalidRequestError, match="being refunded"):
        desk.reviews.credit("zz-3", reason="x", credits_=Credits.of(1), person=AMINA)

    desk.refund_gateway.is_deaf = False
    assert desk.reviews.refund("zz-3", reason="too little") is ReviewState.REFUNDING
    assert desk.refund_gateway.refunds == {}
    desk.reviews.dismiss("zz-3", reason="refunded on the dashboard")


@pytest.mark.parametrize("reference", ["cc-1", "zz-3"])
def test_a_refused_refund_waits_again(desk: Desk, reference: str) -> None:
    desk.pay(reference, Money(64500, "KES"))
    desk.refund_gateway.refusal = "Refunds are not available for this channel"

    with pytest.raises(PaymentRejectedError):
        desk.reviews.refund(reference, reason="too little")

    assert desk.review(reference).state is ReviewState.OPEN
    assert [row.reference for row in desk.reviews.waiting(limit=9)] == [reference]


def test_money_that_is_not_there_is_not_credited(desk: Desk) -> None:
    desk.pay("cc-1", PRICE, PaymentStatus.REVERSED)

    with pytest.raises(InvalidRequestError, match="is not there"):
        desk.reviews.credit("cc-1", reason="please")

    assert desk.posted() == ZERO


@pytest.mark.parametrize("reason", ["", " ", "x" * 151])
def test_a_decision_has_a_reason(desk: Desk, reason: str) -> None:
    desk.pay("cc-1", Money(64500, "KES"))

    for decide in (desk.reviews.dismiss, desk.reviews.refund, desk.reviews.credit):
        with pytest.raises(InvalidRequestError, match="reason"):
            decide("cc-1", reason=reason)

    assert desk.review("cc-1").state is ReviewState.OPEN


def test_what_does_not_wait_is_named(desk: Desk) -> None:
    for decide in (desk.reviews.dismiss, desk.reviews.refund, desk.reviews.credit):
        with pytest.raises(ReviewNotFoundError):
            decide("cc-9", reason="test")
    with pytest.raises(InvalidRequestError, match="no credits"):
        desk.pay("cc-1", Money(64500, "KES"))
        desk.reviews.credit("cc-1", reason="test", credits_=ZERO)


def test_a_webhook_of_an_unknown_payment_waits_for_the_provider(desk: Desk) -> None:
    event = desk.inbox.receive(b"paid zz-3", "signed")
    assert event is not None
    verify = desk.provider.verify

    class Away(MemoryPaymentGateway):
        def verify(self, reference: str) -> Payment | None:
            raise PaymentGatewayUnavailableError(reference)

    away = replace(desk.inbox, gateway=Away())

    assert not away.process(event)
    assert desk.inbox.process(event)
    assert verify("zz-3") is None
    assert desk.reviews.waiting(limit=9) == []


def test_what_was_decided_is_no_longer_open_in_a_reconciliation(desk: Desk) -> None:
    listing = ListOfRows()
    work = replace(desk.reconciliation, payment_list=listing)
    desk.pay("cc-1", Money(64500, "KES"))
    for reference in ("cc-1", "zz-3"):
        payment = desk.provider.payments.get(reference) or Payment(
            reference=reference,
            status=PaymentStatus.SUCCEEDED,
            amount=Money(5, "USD"),
            provider_id="73",
        )
        desk.provider.payments[reference] = payment
        listing.rows.append(ListedPayment(reference=reference, payment=payment, created_at=NOON))

    assert not work.reconcile(since=SINCE, until=UNTIL).is_clean
    desk.reviews.credit("cc-1", reason="agreed")
    desk.reviews.dismiss("zz-3", reason="of another system")

    assert work.reconcile(since=SINCE, until=NOON + DAY).is_clean


def test_a_payment_for_a_closed_account_waits(desk: Desk) -> None:
    with desk.store.begin() as tx:
        owner = tx.people.lock(OWNER)
        assert owner is not None
        tx.people.save(owner.leave())
        tx.commit()

    desk.pay("cc-1", Money(129000, "KES"))

    assert desk.posted() == ZERO
    assert desk.review("cc-1").kind is ReviewKind.PERSON_GONE
    assert desk.reviews.refund("cc-1", reason="the account is closed") is ReviewState.REFUNDED
    desk.assert_clean()


def test_a_second_payment_of_one_purchase_waits_and_is_credited_by_hand(desk: Desk) -> None:
    desk.pay("cc-1", Money(129000, "KES"))
    again = Payment(
        reference="cc-1",
        status=PaymentStatus.SUCCEEDED,
        amount=Money(129000, "KES"),
        provider_id="99",
    )
    desk.provider.repeated.append(again)

    for number in ("99", "98", desk.provider.payments["cc-1"].provider_id):
        event = desk.inbox.receive(f"paid cc-1 {number}".encode(), "signed")
        assert event is not None
        assert desk.inbox.process(event)

    [waiting] = desk.reviews.waiting(limit=9)
    assert (waiting.reference, waiting.kind) == ("99", ReviewKind.DUPLICATE)
    assert desk.posted() == Credits.of(2000)
    desk.reviews.credit("99", reason="wanted", credits_=Credits.of(2000), person=AMINA)
    assert desk.posted() == Credits.of(4000)
    desk.assert_clean()
