"""Reconciliation mends what is safe, and names the rest by kind, with amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from creditcore import ConfirmPayment, Credits, Money, Purchase
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.ledger import Wallet
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.domain.reconciliation import FindingKind
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.ports.payment_list import ListedPayment, Settlement
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON, a_purchase
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    SequentialIds,
)
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.reconcile_payments import (
    EVERY_NIGHT,
    MAX_FINDINGS_KEPT,
    NIGHTLY_POLICY,
    RECONCILE,
    ReconcilePayments,
    Reconciliation,
)

PAID = Money(129000, "KES")
DAY = timedelta(days=1)
SINCE, UNTIL = NOON - DAY, NOON + 2 * DAY


@dataclass
class ListOfRows:
    """The provider's list in memory."""

    rows: list[ListedPayment] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)
    dispute_refusal: str = ""
    payouts: list[Settlement] = field(default_factory=list)
    payout_refusal: str = ""
    paid_out: dict[str, list[ListedPayment]] = field(default_factory=dict)
    is_away: bool = False

    def payments(self, *, since: datetime, until: datetime) -> Iterator[ListedPayment]:
        if self.is_away:
            raise PaymentGatewayUnavailableError("away")
        yield from (row for row in self.rows if since <= row.created_at < until)

    def disputed(self, *, since: datetime, until: datetime) -> Iterator[str]:
        del since, until
        yield from self.disputes
        if self.dispute_refusal:
            raise PaymentGatewayUnavailableError(self.dispute_refusal)

    def settlements(self, *, since: datetime, until: datetime) -> Iterator[Settlement]:
        yield from (row for row in self.payouts if since.date() <= row.day <= until.date())
        if self.payout_refusal:
            raise PaymentGatewayUnavailableError(self.payout_refusal)

    def payments_of(self, settlement_id: str) -> Iterator[ListedPayment]:
        yield from self.paid_out.get(settlement_id, [])


@dataclass
class Shop:
    store: Transactions
    provider: MemoryPaymentGateway
    refund_gateway: MemoryRefundGateway
    listing: ListOfRows
    payments: ConfirmPayment
    work: ReconcilePayments

    def purchase(self, reference: str, **changes: object) -> Purchase:
        with self.store.begin() as tx:
            purchase = replace(
                a_purchase(tx.ledger.find_wallet("wallet-1"), reference=reference),
                **changes,  # type: ignore[arg-type]
            )
            tx.purchases.add(purchase)
            tx.commit()
        return purchase

    def at_the_provider(
        self,
        reference: str,
        status: PaymentStatus = PaymentStatus.SUCCEEDED,
        *,
        amount: Money = PAID,
        at: datetime = NOON,
        is_listed: bool = True,
    ) -> None:
        payment = Payment(
            reference=reference, status=status, amount=amount, provider_id=f"7{reference[3:]}"
        )
        self.provider.payments[reference] = payment
        if is_listed:
            row = ListedPayment(
                reference=reference, payment=payment, created_at=at, fees=Money(9, amount.currency)
            )
            self.listing.rows.append(row)

    def run(self) -> Reconciliation:
        return self.work.reconcile(since=SINCE, until=UNTIL)

    def kinds(self) -> dict[str, FindingKind]:
        return {finding.reference: finding.kind for finding in self.run().findings}

    def posted(self) -> Credits:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet("wallet-1").posted


@pytest.fixture
def shop(any_store: Transactions) -> Shop:
    return a_shop(any_store)


def a_shop(any_store: Transactions) -> Shop:
    provider, clock, listing = MemoryPaymentGateway(), FixedClock(UNTIL), ListOfRows()
    with any_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="owner-of-wallet-1"))
        tx.commit()
    payments = ConfirmPayment(transactions=any_store, gateway=provider, clock=clock)
    refund_gateway = MemoryRefundGateway(provider)
    follower = FollowRefunds(
        transactions=any_store,
        payments=payments,
        gateway=provider,
        refund_gateway=refund_gateway,
        clock=clock,
        ids=SequentialIds(),
    )
    work = ReconcilePayments(
        transactions=any_store,
        payments=payments,
        refunds=follower,
        gateway=provider,
        payment_list=listing,
        clock=clock,
    )
    return Shop(any_store, provider, refund_gateway, listing, payments, work)


def test_what_agrees_is_clean(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.payments.confirm("cc-1")
    shop.purchase("cc-2")
    shop.at_the_provider("cc-2", PaymentStatus.PENDING)
    shop.at_the_provider("xx-3", PaymentStatus.FAILED)

    result = shop.run()

    assert result.is_clean
    assert result.findings == []
    assert result.compared == 3
    [(key, totals)] = result.totals.items()
    assert key == (NOON.date(), "KES")
    assert (totals.payments, totals.gross, totals.fees) == (1, 129000, 9)


@pytest.mark.parametrize("state", [PurchaseState.PENDING, PurchaseState.FAILED])
def test_what_was_paid_and_not_credited_is_credited(shop: Shop, state: PurchaseState) -> None:
    closed_at = NOON if state is PurchaseState.FAILED else None
    shop.purchase("cc-1", state=state, closed_at=closed_at)
    shop.at_the_provider("cc-1")

    first, again = shop.run(), shop.run()

    assert [finding.kind for finding in first.findings] == [FindingKind.CREDITED]
    assert first.is_clean
    assert again.findings == []
    assert shop.posted() == Credits.of(2000)


def test_what_needs_a_person_is_listed_with_its_amount(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1", amount=Money(5, "KES"))
    shop.at_the_provider("zz-2", amount=Money(700, "USD"))
    shop.purchase("cc-3")
    shop.at_the_provider("cc-3")
    shop.payments.confirm("cc-3")
    shop.listing.rows[-1] = replace(
        shop.listing.rows[-1],
        payment=replace(shop.provider.payments["cc-3"], amount=Money(129001, "KES")),
    )
    shop.purchase("cc-4")
    shop.at_the_provider("cc-4")
    shop.payments.confirm("cc-4")
    shop.listing.rows.pop()
    shop.at_the_provider("cc-4", PaymentStatus.FAILED)
    shop.purchase("cc-5")
    shop.at_the_provider("cc-5", is_listed=False)
    shop.payments.confirm("cc-5")
    del shop.provider.payments["cc-5"]
    shop.listing.rows.append(ListedPayment(reference="cc-6", payment=None, created_at=NOON))

    result = shop.run()

    assert {finding.reference: finding.kind for finding in result.findings} == {
        "cc-1": FindingKind.UNDER_REVIEW,
        "zz-2": FindingKind.UNKNOWN_REFERENCE,
        "cc-3": FindingKind.AMOUNT_DIFFERS,
        "cc-4": FindingKind.UNPAID_THERE,
        "cc-5": FindingKind.MISSING_THERE,
        "cc-6": FindingKind.UNREADABLE,
    }
    assert not result.is_clean
    assert result.amounts[FindingKind.UNKNOWN_REFERENCE, "USD"] == 700
    assert result.counts[FindingKind.MISSING_THERE] == 1


def test_a_code_of_the_network_that_came_late_is_added(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    row = shop.listing.rows[0]
    assert row.payment is not None
    payment = replace(row.payment, channel="mobile_money")
    shop.provider.payments["cc-1"] = payment
    shop.payments.confirm("cc-1")
    with_code = replace(payment, receipt_code="SKL7XYZ12A")
    shop.listing.rows[0] = replace(row, payment=with_code)

    assert shop.run().findings == []

    with shop.store.begin() as tx:
        assert tx.purchases.find("cc-1").receipt_code == "SKL7XYZ12A"
    assert shop.posted() == Credits.of(2000)


def test_a_payment_outside_the_list_is_asked_about(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1", is_listed=False)
    shop.payments.confirm("cc-1")

    assert shop.run().is_clean


def test_refunds_made_elsewhere_are_followed(shop: Shop) -> None:
    for reference in ("cc-1", "cc-2", "cc-3"):
        shop.purchase(reference)
        shop.at_the_provider(reference, is_listed=False)
        shop.payments.confirm(reference)
        shop.at_the_provider(reference, PaymentStatus.REVERSED)
    shop.refund_gateway.make("71", Money(64500, "KES"))
    shop.refund_gateway.disputes["72"] = [
        ReportedRefund(
            provider_id="9", amount=PAID, state=RefundState.PROCESSED, kind=RefundKind.DISPUTE
        )
    ]

    first, again = shop.kinds(), shop.kinds()

    assert first == {
        "cc-1": FindingKind.REFUND_FOLLOWED,
        "cc-2": FindingKind.REFUND_FOLLOWED,
        "cc-3": FindingKind.REVERSED_THERE,
    }
    assert again == {"cc-3": FindingKind.REVERSED_THERE}
    assert shop.posted() == Credits.of(1000 + 2000)


def test_a_dispute_that_no_webhook_told_of_is_followed(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.payments.confirm("cc-1")
    shop.refund_gateway.disputes["71"] = [
        ReportedRefund(
            provider_id="9", amount=PAID, state=RefundState.PENDING, kind=RefundKind.DISPUTE
        )
    ]
    shop.listing.disputes += ["cc-1", "zz-9"]

    first, again = shop.run(), shop.run()

    assert [(row.kind, row.reference) for row in first.findings] == [
        (FindingKind.DISPUTE_FOLLOWED, "cc-1")
    ]
    assert first.is_clean
    assert again.findings == []
    assert shop.posted() == Credits(0)


def test_disputes_that_cannot_be_listed_are_open_and_the_rest_is_compared(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.listing.dispute_refusal = "Paystack answered with HTTP 403."
    shop.listing.payouts.append(
        Settlement(id="7", day=NOON.date(), status="failed", gross=PAID, net=PAID)
    )

    result = shop.run()

    kinds = [finding.kind for finding in result.findings]
    assert kinds == [
        FindingKind.CREDITED,
        FindingKind.DISPUTES_UNREAD,
        FindingKind.PAYOUT_FAILED,
    ]
    assert "HTTP 403" in result.findings[1].detail
    assert not result.is_clean
    assert shop.posted() == Credits.of(2000)


def test_payouts_that_cannot_be_listed_are_open_and_what_was_found_is_told(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.listing.payout_refusal = "Paystack answered with HTTP 403."

    result = shop.run()

    kinds = [finding.kind for finding in result.findings]
    assert kinds == [FindingKind.CREDITED, FindingKind.PAYOUTS_UNREAD]
    assert "HTTP 403" in result.findings[1].detail
    assert not result.is_clean
    assert shop.posted() == Credits.of(2000)


def test_disputes_of_one_payment_that_cannot_be_read_leave_the_others_followed(
    shop: Shop,
) -> None:
    for reference in ("cc-1", "cc-2", "cc-3"):
        shop.purchase(reference)
        shop.at_the_provider(reference)
        shop.payments.confirm(reference)
    shop.listing.rows.pop()
    shop.at_the_provider("cc-3", PaymentStatus.REVERSED)
    shop.refund_gateway.disputes["72"] = [
        ReportedRefund(
            provider_id="9", amount=PAID, state=RefundState.PENDING, kind=RefundKind.DISPUTE
        )
    ]
    shop.refund_gateway.undisclosed |= {"71", "73"}
    shop.listing.disputes += ["cc-1", "cc-2"]

    assert shop.kinds() == {
        "cc-1": FindingKind.DISPUTES_UNREAD,
        "cc-2": FindingKind.DISPUTE_FOLLOWED,
        "cc-3": FindingKind.DISPUTES_UNREAD,
    }


def test_a_dispute_that_was_won_is_none_that_begins(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.payments.confirm("cc-1")
    part = Money(PAID.minor_units // 2, PAID.currency)
    lost = ReportedRefund(
        provider_id="8", amount=part, state=RefundState.PROCESSED, kind=RefundKind.DISPUTE
    )
    disputed = replace(lost, provider_id="9", state=RefundState.PENDING)
    shop.refund_gateway.disputes["71"] = [lost, disputed]
    shop.work.refunds.follow_disputes("cc-1")
    shop.refund_gateway.disputes["71"] = [lost, replace(disputed, state=RefundState.FAILED)]
    shop.listing.disputes += ["cc-1"]

    assert shop.run().findings == []
    assert shop.posted() == Credits.of(1000)


def test_a_payment_on_the_edge_of_a_day_is_compared_once(shop: Shop) -> None:
    for number, at in enumerate((NOON, NOON - timedelta(minutes=1), SINCE, UNTIL), start=1):
        shop.at_the_provider(f"zz-{number}", at=at)

    result = shop.run()

    assert result.counts[FindingKind.UNKNOWN_REFERENCE] == 3, "the last began after the end"


def test_every_page_is_read_and_findings_are_bounded(shop: Shop) -> None:
    for number in range(MAX_FINDINGS_KEPT + 50):
        shop.at_the_provider(f"zz-{number}")
    told: list[str] = []
    days: list[int] = []

    result = shop.work.reconcile(
        since=SINCE,
        until=UNTIL,
        found=lambda finding: told.append(finding.reference),
        progress=lambda so_far: days.append(so_far.compared),
    )

    assert len(result.findings) == MAX_FINDINGS_KEPT
    assert result.counts[FindingKind.UNKNOWN_REFERENCE] == len(told) == MAX_FINDINGS_KEPT + 50
    assert days == [0, MAX_FINDINGS_KEPT + 50, MAX_FINDINGS_KEPT + 50]


def test_a_list_that_breaks_off_is_no_clean_result(shop: Shop) -> None:
    shop.listing.is_away = True

    with pytest.raises(PaymentGatewayUnavailableError):
        shop.run()


def test_the_nightly_run_alerts_once_a_day_where_something_is_open(shop: Shop) -> None:
    assert shop.work.reconcile_latest().is_clean
    shop.at_the_provider("zz-1")

    for _ in range(2):
        assert not shop.work.reconcile_latest().is_clean

    with shop.store.begin() as tx:
        [alert] = tx.alerts.recent(limit=9)
    assert "1 unknown reference" in alert.message


def test_a_purchase_that_was_paid_twice_waits_for_a_person(shop: Shop) -> None:
    shop.purchase("cc-1")
    shop.at_the_provider("cc-1")
    shop.payments.confirm("cc-1")
    twice = replace(shop.provider.payments["cc-1"], provider_id="99")
    shop.listing.rows.append(replace(shop.listing.rows[0], payment=twice))

    result = shop.run()

    assert [finding.kind for finding in result.findings] == [FindingKind.PAID_TWICE]
    assert not result.is_clean
    with shop.store.begin() as tx:
        [waiting] = tx.reviews.waiting(limit=9)
    assert waiting.reference == "99"
    assert shop.posted() == Credits.of(2000)


def test_every_night_a_job_reconciles_and_alerts(shop: Shop) -> None:
    shop.at_the_provider("zz-2", amount=Money(700, "USD"))
    runner = RunJobs(
        transactions=shop.store,
        clock=shop.work.clock,
        handlers={RECONCILE: shop.work.reconcile_nightly},
        policies={RECONCILE: NIGHTLY_POLICY},
        recurring=(EVERY_NIGHT,),
    )

    scheduled = [runner.enqueue_recurring() for _ in range(2)]

    assert scheduled == [1, 0]
    assert runner.run_due(RECONCILE) == 1
    with shop.store.begin() as tx:
        [alert] = tx.alerts.recent(limit=9)
    assert "1 unknown reference" in alert.message
