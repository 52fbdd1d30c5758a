"""What the provider pays out is compared with our books, payment by payment and day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import Money
from creditcore.domain.purchases import PaymentStatus
from creditcore.domain.reconciliation import FindingKind
from creditcore.domain.refunds import RefundState
from creditcore.ports.payment_list import Settlement
from creditcore.testing.contracts import NOON
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.payments.compare_payouts import PAID_OUT_WITHIN, PayoutTotals
from creditcore.usecases.payments.reconcile_payments import Reconciliation
from tests.unit.test_reconcile_payments import PAID, Shop, a_shop

DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0, microsecond=0)
TODAY = NOON.date()


@pytest.fixture
def shop() -> Shop:
    """Two payments of one day, both credited, two days later."""
    shop = a_shop(MemoryTransactions())
    for reference in ("cc-1", "cc-2"):
        shop.purchase(reference)
        shop.at_the_provider(reference)
        shop.payments.confirm(reference)
    return shop


def pay_out(
    shop: Shop, *references: str, gross: int | None = None, status: str = "success"
) -> None:
    """Pay out a day's payments, as they are listed, on the day after."""
    rows = [row for row in shop.listing.rows if row.reference in references]
    number = str(len(shop.listing.payouts) + 1)
    units = sum(row.payment.amount.minor_units for row in rows if row.payment)
    shop.listing.paid_out[number] = rows
    shop.listing.payouts.append(
        Settlement(
            id=number,
            day=TODAY + DAY,
            status=status,
            gross=Money(units if gross is None else gross, "KES"),
            net=Money(units, "KES"),
        )
    )


def reconcile(shop: Shop, *, after: timedelta = PAID_OUT_WITHIN + 3 * DAY) -> Reconciliation:
    """Compare the day of the payments, some time after it."""
    assert isinstance(shop.work.clock, FixedClock)
    shop.work.clock.advance(MIDNIGHT + after - shop.work.clock.now())
    return shop.work.reconcile(since=MIDNIGHT, until=MIDNIGHT + DAY)


def kinds(result: Reconciliation) -> list[tuple[FindingKind, str]]:
    return [(finding.kind, finding.reference) for finding in result.findings]


def test_what_is_paid_out_and_booked_alike_is_clean(shop: Shop) -> None:
    pay_out(shop, "cc-1")
    pay_out(shop, "cc-2")

    result = reconcile(shop)

    assert result.is_clean
    both = 2 * PAID.minor_units
    assert result.settled == {
        (TODAY + DAY, "KES"): PayoutTotals(
            payouts=2, gross=both, net=both, payments=2, ours=both, booked=both
        )
    }


def test_what_is_credited_and_in_no_payout_is_told_once_it_is_due(shop: Shop) -> None:
    pay_out(shop, "cc-1")

    too_early = reconcile(shop, after=PAID_OUT_WITHIN + 2 * DAY)
    in_time = reconcile(shop)

    assert too_early.is_clean
    assert kinds(in_time) == [(FindingKind.NOT_PAID_OUT, TODAY.isoformat())]
    assert in_time.amounts[FindingKind.NOT_PAID_OUT, "KES"] == PAID.minor_units
    assert not in_time.is_clean


@pytest.mark.parametrize("cents", [500, None])
def test_what_went_back_need_not_be_paid_out(shop: Shop, cents: int | None) -> None:
    pay_out(shop, "cc-1")
    amount = PAID if cents is None else Money(cents, "KES")
    shop.refund_gateway.make("72", amount)
    shop.refund_gateway.move("72", 0, RefundState.PROCESSED)
    shop.work.refunds.follow("cc-2")

    assert reconcile(shop).is_clean


def test_a_payout_that_failed_is_told_and_not_counted(shop: Shop) -> None:
    pay_out(shop, "cc-1", "cc-2", status="failed")

    result = reconcile(shop, after=3 * DAY)

    assert kinds(result) == [(FindingKind.PAYOUT_FAILED, "payout 1")]
    assert result.settled == {}


def test_a_payout_that_is_not_the_sum_of_its_payments_is_told(shop: Shop) -> None:
    pay_out(shop, "cc-1", "cc-2", gross=2 * PAID.minor_units + 1)

    result = reconcile(shop)

    assert kinds(result) == [(FindingKind.PAYOUT_SUM_DIFFERS, "payout 1")]


def test_other_amounts_than_are_booked_are_told(shop: Shop) -> None:
    pay_out(shop, "cc-1", "cc-2")
    row = shop.listing.paid_out["1"][0]
    assert row.payment is not None
    less = replace(row.payment, amount=Money(PAID.minor_units - 1, "KES"))
    shop.listing.paid_out["1"][0] = replace(row, payment=less)
    shop.listing.payouts[0] = replace(
        shop.listing.payouts[0], gross=Money(2 * PAID.minor_units - 1, "KES")
    )

    result = reconcile(shop)

    assert kinds(result) == [(FindingKind.PAYOUT_BOOKS_DIFFER, "payout 1")]
    assert "KES 2579.99; the same payments are KES 2580.00 here" in result.findings[0].detail


def test_payments_of_others_are_counted_apart(shop: Shop) -> None:
    shop.at_the_provider("zz-9", at=NOON + DAY)
    pay_out(shop, "cc-1", "cc-2", "zz-9")

    result = reconcile(shop)

    assert result.is_clean
    [totals] = result.settled.values()
    assert (totals.ours, totals.others) == (2 * PAID.minor_units, PAID.minor_units)


def test_money_paid_out_that_was_never_credited_is_credited(shop: Shop) -> None:
    shop.purchase("cc-3", created_at=NOON - 9 * DAY)
    shop.at_the_provider("cc-3", at=NOON - 9 * DAY)
    pay_out(shop, "cc-1", "cc-2", "cc-3")

    result = reconcile(shop)

    assert kinds(result) == [(FindingKind.CREDITED, "cc-3")]
    [totals] = result.settled.values()
    assert totals.booked == 3 * PAID.minor_units


def test_the_nightly_run_looks_for_payouts_that_are_due(shop: Shop) -> None:
    assert isinstance(shop.work.clock, FixedClock)
    shop.work.clock.advance(PAID_OUT_WITHIN + 2 * DAY)

    result = shop.work.reconcile_latest()

    assert kinds(result) == [(FindingKind.NOT_PAID_OUT, TODAY.isoformat())]
    assert result.compared == 0, "the payments themselves are of before the week"


def test_a_payment_that_the_provider_has_twice_is_booked_once(shop: Shop) -> None:
    pay_out(shop, "cc-1", "cc-2")
    row = shop.listing.paid_out["1"][0]
    assert row.payment is not None
    second = replace(row.payment, provider_id="99", status=PaymentStatus.SUCCEEDED)
    shop.listing.paid_out["1"].append(replace(row, payment=second))
    shop.listing.payouts[0] = replace(
        shop.listing.payouts[0], gross=Money(3 * PAID.minor_units, "KES")
    )

    [totals] = reconcile(shop).settled.values()

    assert (totals.booked, totals.others) == (2 * PAID.minor_units, PAID.minor_units)
