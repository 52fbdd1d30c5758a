"""A refund takes its credits first and is asked for once, after any answer of the provider."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from creditcore import ConfirmPayment, Credits, Money, PaymentInbox
from creditcore.domain.activity import COMMAND_LINE, Act
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseNotFoundError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.domain.refunds import Refund, RefundKind, RefundState
from creditcore.testing.contracts import NOON, a_purchase, admit, settle
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.books.audit_books import AuditBooks
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.follow_refunds import GIVEN_UP_AFTER, FollowRefunds
from creditcore.usecases.payments.refund_payment import RefundPayment

GRANTED = Credits.of(2000)
PAID = Money(129000, "KES")
HALF = Money(64500, "KES")


@dataclass
class Shop:
    store: MemoryTransactions
    provider: MemoryPaymentGateway
    refund_gateway: MemoryRefundGateway
    clock: FixedClock
    follower: FollowRefunds
    refunds: RefundPayment
    inbox: PaymentInbox
    debts: ClearDebt

    def wallet(self) -> Wallet:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet("wallet-1")

    def stored(self) -> list[Refund]:
        with self.store.begin() as tx:
            return list(tx.refunds.of("cc-1"))

    def state(self) -> PurchaseState:
        return self.store.committed.purchases["cc-1"].state

    def subjects(self) -> list[str]:
        return [alert.subject for alert in self.store.committed.alerts.values()]

    def hear(self, body: str) -> bool:
        event = self.inbox.receive(body.encode(), "signed")
        return event is not None and self.inbox.process(event)

    def spend(self, amount: Credits) -> None:
        hold = admit(self.store, amount.microcredits, reference="spent")
        settle(self.store, hold, amount.microcredits)

    def assert_clean(self) -> None:
        report = AuditBooks(transactions=self.store).audit()
        assert report.clean, report


@pytest.fixture
def shop() -> Shop:
    store, provider, clock, ids = (
        MemoryTransactions(),
        MemoryPaymentGateway(),
        FixedClock(NOON),
        SequentialIds(),
    )
    with store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="owner-of-wallet-1"))
        tx.purchases.add(a_purchase(Wallet(id="wallet-1", owner_id="owner-of-wallet-1")))
        tx.commit()
    provider.payments["cc-1"] = Payment(
        reference="cc-1", status=PaymentStatus.SUCCEEDED, amount=PAID, provider_id="77"
    )
    payments = ConfirmPayment(transactions=store, gateway=provider, clock=clock)
    refund_gateway = MemoryRefundGateway(provider)
    follower = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=provider,
        refund_gateway=refund_gateway,
        clock=clock,
        ids=ids,
    )
    payments.confirm("cc-1")
    return Shop(
        store,
        provider,
        refund_gateway,
        clock,
        follower,
        RefundPayment(transactions=store, gateway=refund_gateway, refunds=follower, ids=ids),
        PaymentInbox(
            transactions=store, gateway=provider, payments=payments, refunds=follower, clock=clock
        ),
        ClearDebt(transactions=store, clock=clock, ids=ids),
    )


def test_all_of_it_goes_back(shop: Shop) -> None:
    result = shop.refunds.refund("cc-1", None, reason="asked for it")

    assert (result.refund.state, result.refund.amount) == (RefundState.PENDING, PAID)
    assert (result.refund.credits, result.owed) == (GRANTED, ZERO)
    assert result.refund.provider_id == "77-1"
    assert shop.wallet().posted == ZERO
    assert shop.state() is PurchaseState.REVERSED
    shop.assert_clean()


def test_what_was_spent_is_owed_until_it_is_cleared(shop: Shop) -> None:
    shop.spend(Credits.of(1500))

    result = shop.refunds.refund("cc-1", None, reason="asked for it")

    assert result.owed == Credits.of(1500)
    assert shop.wallet().available == ZERO
    shop.assert_clean()
    assert shop.debts.clear("wallet-1", reason="goodwill") == Credits.of(1500)
    assert shop.debts.clear("wallet-1", reason="goodwill") == ZERO
    assert shop.wallet().owed == ZERO
    shop.assert_clean()


def test_a_refusal_gives_the_credits_back(shop: Shop) -> None:
    shop.refund_gateway.refusal = "The minimum amount is KES 100.00"

    with pytest.raises(PaymentRejectedError, match="minimum amount"):
        shop.refunds.refund("cc-1", HALF, reason="asked for it")

    assert [refund.state for refund in shop.stored()] == [RefundState.FAILED]
    assert shop.wallet().posted == GRANTED
    shop.assert_clean()


def test_what_went_back_elsewhere_is_no_longer_left(shop: Shop) -> None:
    shop.refund_gateway.make("77", HALF)

    with pytest.raises(InvalidRequestError, match="can still go back"):
        shop.refunds.refund("cc-1", PAID, reason="asked for it")

    assert [refund.by_provider for refund in shop.stored()] == [True]


def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(shop: Shop) -> None:
    shop.refund_gateway.is_silent = True

    result = shop.refunds.refund("cc-1", HALF, reason="asked for it")

    assert result.refund.state is RefundState.PENDING
    assert len(shop.refund_gateway.refunds["77"]) == 1
    assert shop.wallet().posted == Credits.of(1000)


def test_a_request_that_never_arrived_is_given_up_and_costs_nothing(shop: Shop) -> None:
    shop.refund_gateway.is_deaf = True
    result = shop.refunds.refund("cc-1", HALF, reason="asked for it")
    assert result.refund.state is RefundState.REQUESTED
    assert shop.wallet().posted == Credits.of(1000)

    shop.refund_gateway.is_deaf = False
    with pytest.raises(InvalidRequestError, match="not known yet"):
        shop.refunds.refund("cc-1", HALF, reason="again")
    shop.clock.advance(GIVEN_UP_AFTER)
    assert shop.follower.chase() == 1

    assert shop.stored()[0].state is RefundState.FAILED
    assert shop.wallet().posted == GRANTED
    assert shop.refund_gateway.refunds == {}
    shop.refunds.refund("cc-1", HALF, reason="again")
    assert shop.wallet().posted == Credits.of(1000)
    shop.assert_clean()


def test_nothing_is_asked_for_while_the_provider_is_away(shop: Shop) -> None:
    shop.refund_gateway.is_away = True

    with pytest.raises(PaymentGatewayUnavailableError):
        shop.refunds.refund("cc-1", HALF, reason="asked for it")

    assert shop.stored() == []
    assert shop.wallet().posted == GRANTED


@pytest.mark.parametrize("reason", ["", "  ", "x" * 151])
def test_a_refund_has_a_reason(shop: Shop, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match="reason"):
        shop.refunds.refund("cc-1", None, reason=reason)


def test_clearing_a_debt_has_a_reason(shop: Shop) -> None:
    with pytest.raises(InvalidRequestError, match="reason"):
        shop.debts.clear("wallet-1", reason=" ")


def test_an_unknown_payment_is_named(shop: Shop) -> None:
    with pytest.raises(PurchaseNotFoundError):
        shop.refunds.refund("cc-9", None, reason="asked for it")


@pytest.mark.parametrize("name", ["refund.pending", "refund.processed", "refund.failed"])
def test_a_refund_of_the_dashboard_is_taken_over_from_any_of_its_webhooks(
    shop: Shop, name: str
) -> None:
    shop.refund_gateway.make("77", HALF)

    assert shop.hear(f"{name} cc-1")
    assert shop.hear(f"{name} cc-1 again")

    [refund] = shop.stored()
    assert (refund.by_provider, refund.amount, refund.credits) == (True, HALF, Credits.of(1000))
    assert "A refund was made at the payment provider" in shop.subjects()
    shop.assert_clean()


def test_a_webhook_before_the_refund_is_listed_is_tried_again(shop: Shop) -> None:
    assert not shop.hear("refund.pending cc-1")
    shop.refund_gateway.make("77", HALF)
    shop.clock.advance(timedelta(minutes=1))

    assert shop.inbox.process_due() == 1
    assert len(shop.stored()) == 1


def test_a_failed_refund_gives_back(shop: Shop) -> None:
    shop.refunds.refund("cc-1", None, reason="asked for it")
    shop.refund_gateway.move("77", 0, RefundState.FAILED)

    assert shop.hear("refund.failed cc-1")

    assert shop.wallet().posted == GRANTED
    assert shop.state() is PurchaseState.PAID
    assert "A refund did not reach the payer" in shop.subjects()
    shop.assert_clean()


def dispute(state: RefundState, minor_units: int = PAID.minor_units) -> str:
    return (
        f'dispute.{state} cc-1 {{"id": "9", "minor_units": {minor_units}, "currency": "KES",'
        f' "state": "{state}"}}'
    )


@pytest.mark.parametrize(
    ("states", "left"),
    [
        ([RefundState.PENDING], ZERO),
        ([RefundState.PENDING, RefundState.PROCESSED], ZERO),
        ([RefundState.PROCESSED, RefundState.PENDING], ZERO),
        ([RefundState.PENDING, RefundState.FAILED], GRANTED),
        ([RefundState.FAILED, RefundState.PENDING], GRANTED),
        ([RefundState.FAILED], GRANTED),
    ],
)
def test_disputes_in_any_order(shop: Shop, states: list[RefundState], left: Credits) -> None:
    for state in states:
        assert shop.hear(dispute(state))

    assert shop.wallet().posted == left
    assert [refund.kind for refund in shop.stored()] == [RefundKind.DISPUTE]
    shop.assert_clean()


def test_a_dispute_that_comes_before_its_payment_is_kept_until_then(shop: Shop) -> None:
    paid = shop.provider.payments["cc-1"]
    with shop.store.begin() as tx:
        tx.purchases.add(a_purchase(tx.ledger.find_wallet("wallet-1"), reference="cc-2"))
        tx.commit()
    early = replace(paid, reference="cc-2", provider_id="78", status=PaymentStatus.PENDING)
    shop.provider.payments["cc-2"] = early

    assert not shop.hear(dispute(RefundState.PENDING).replace("cc-1", "cc-2"))
    shop.provider.payments["cc-2"] = replace(early, status=PaymentStatus.SUCCEEDED)
    shop.clock.advance(timedelta(minutes=1))

    assert shop.inbox.process_due() == 1
    assert shop.wallet().posted == GRANTED, "of the first purchase; the second is disputed"
    shop.assert_clean()


def test_a_dispute_that_cannot_be_read_is_looked_up(shop: Shop) -> None:
    report = shop.refund_gateway.read_dispute(dispute(RefundState.PENDING))
    assert report is not None
    shop.refund_gateway.disputes["77"] = [report]

    assert shop.hear("dispute.create cc-1")

    assert shop.wallet().posted == ZERO


@pytest.mark.parametrize("name", ["refund.processed", "dispute.create"])
def test_what_is_not_ours_is_kept_with_an_alert(shop: Shop, name: str) -> None:
    assert shop.hear(f"{name} cc-9")

    assert "A payment is not ours" in shop.subjects()


def test_a_payment_reversed_before_it_was_credited_credits_nothing(shop: Shop) -> None:
    with shop.store.begin() as tx:
        wallet = tx.ledger.find_wallet("wallet-1")
        tx.purchases.add(a_purchase(wallet, reference="cc-2"))
        tx.commit()
    shop.provider.payments["cc-2"] = Payment(
        reference="cc-2", status=PaymentStatus.REVERSED, amount=PAID, provider_id="78"
    )

    assert shop.hear("paid cc-2")

    assert shop.wallet().posted == GRANTED
    assert shop.store.committed.purchases["cc-2"].state is PurchaseState.UNDER_REVIEW
    assert "A payment needs a decision" in shop.subjects()


def test_money_under_review_goes_back_without_touching_credits(shop: Shop) -> None:
    with shop.store.begin() as tx:
        wallet = tx.ledger.find_wallet("wallet-1")
        tx.purchases.add(a_purchase(wallet, reference="cc-2"))
        tx.commit()
    shop.provider.payments["cc-2"] = Payment(
        reference="cc-2", status=PaymentStatus.SUCCEEDED, amount=HALF, provider_id="78"
    )
    shop.hear("paid cc-2")

    result = shop.refunds.refund("cc-2", None, reason="underpaid")

    assert (result.refund.amount, result.refund.credits) == (HALF, ZERO)
    assert shop.wallet().posted == GRANTED
    shop.assert_clean()


def test_the_worker_looks_after_each_in_turn(shop: Shop) -> None:
    shop.refunds.refund("cc-1", HALF, reason="asked for it")
    assert shop.follower.chase() == 0, "it was looked after just now"
    shop.refund_gateway.move("77", 0, RefundState.PROCESSED)
    shop.clock.advance(timedelta(minutes=10))
    shop.refund_gateway.is_away = True

    assert shop.follower.chase() == 1
    assert shop.follower.chase() == 0, "others come first next time"
    shop.refund_gateway.is_away = False
    shop.clock.advance(timedelta(minutes=10))
    assert shop.follower.chase() == 1

    assert shop.stored()[0].state is RefundState.PROCESSED


def test_who_asked_for_a_refund_and_why_stands_in_the_activity_log(shop: Shop) -> None:
    shop.refunds.refund("cc-1", HALF, reason="bought twice", actor=COMMAND_LINE)
    shop.refund_gateway.make("77", Money(500, "KES"))
    shop.follower.follow("cc-1")
    shop.refund_gateway.refusal = "not allowed"
    with pytest.raises(PaymentRejectedError):
        shop.refunds.refund("cc-1", Money(500, "KES"), reason="again", actor=COMMAND_LINE)

    acts = [
        (row.act, row.actor.id, row.after["amount"])
        for row in shop.store.committed.activity.values()
    ]

    assert acts == [
        (Act.REFUND_REQUESTED, "command line", str(HALF)),
        (Act.REFUND_BEGUN_ELSEWHERE, "payment provider", "KES 5.00"),
        (Act.REFUND_REQUESTED, "command line", "KES 5.00"),
        (Act.REFUND_FAILED, "payment provider", "KES 5.00"),
    ]
    assert shop.store.committed.activity[1].after["reason"] == "bought twice"
