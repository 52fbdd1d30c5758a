"""Compare what the provider pays out with what was booked here, by day and currency.

A payout names its payments, so each is looked up. The other way round, what was credited of a day
is compared with what payouts hold of that day. Memory holds one page of payments, and totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from creditcore.domain.money import Money
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.reconciliation import Finding, FindingKind
from creditcore.ports.clock import Clock
from creditcore.ports.payment_list import ListedPayment, PaymentList, Settlement
from creditcore.ports.store_ports import HasPurchases, HasRefunds
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.payment_pages import credited_between, pages

PAID_OUT_WITHIN = timedelta(days=10)
"""Paystack pays out on the next working day, dollars within seven of them."""

_FAILED = "failed"
_DAY = timedelta(days=1)


class ComparePayoutsTransaction(HasPurchases, HasRefunds, Protocol):
    """What payouts are compared with."""


@dataclass(slots=True)
class PayoutTotals:
    """What was paid out in one currency on one day, in minor units.

    Attributes:
        payouts: How many; those that failed are not among them.
        gross: What was collected; ``net`` is what arrives.
        payments: How many payments the payouts name.
        ours: What those of ours come to, by the payouts.
        booked: What the same payments were booked as here.
        others: What was collected under references that are none of ours, or a second time.
    """

    payouts: int = 0
    gross: int = 0
    net: int = 0
    payments: int = 0
    ours: int = 0
    booked: int = 0
    others: int = 0


@dataclass(slots=True)
class Payouts:
    """The payouts of a period.

    Attributes:
        totals: By the day of the payout, and currency.
        paid_out: What payouts hold of each day's credited payments, and currency. Payments that
            went back are left out: whether they are paid out depends on when.
    """

    totals: dict[tuple[date, str], PayoutTotals] = field(default_factory=dict)
    paid_out: Counter[tuple[date, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePayouts:
    """Look up what payouts hold, and look for what none of them holds."""

    transactions: Begins[ComparePayoutsTransaction]
    payment_list: PaymentList
    clock: Clock

    def compare(
        self,
        *,
        since: datetime,
        until: datetime,
        note: Callable[[Finding], None],
        examine: Callable[[ListedPayment, Purchase | None], None],
    ) -> Payouts:
        """Compare the payments that began in a period with the payouts since then.

        Args:
            since: The beginning of the period.
            until: Its end, which does not belong to it.
            note: Is told each finding.
            examine: Is told each payment of the payouts, with our purchase.

        Raises:
            PaymentGatewayUnavailableError: The provider broke off; run it again.
        """
        now = self.clock.now()
        payouts = Payouts()
        last = min(now, until + PAID_OUT_WITHIN)
        for payout in self.payment_list.settlements(since=since, until=last):
            if payout.status == _FAILED:
                note(_failed(payout))
            else:
                self._look_into(payout, payouts, note, examine)
        due = now - PAID_OUT_WITHIN
        for (day, currency), missing in self._missing(since, until, payouts, due=due):
            note(_not_paid_out(day, Money(missing, currency)))
        return payouts

    def _look_into(
        self,
        payout: Settlement,
        payouts: Payouts,
        note: Callable[[Finding], None],
        examine: Callable[[ListedPayment, Purchase | None], None],
    ) -> None:
        one = PayoutTotals(payouts=1, gross=payout.gross.minor_units, net=payout.net.minor_units)
        for page in pages(self.payment_list.payments_of(payout.id)):
            with self.transactions.begin() as tx:
                known = tx.purchases.among([row.reference for row in page])
            for row in page:
                purchase = known.get(row.reference)
                examine(row, purchase)
                self._count(one, payouts, row, purchase)
        if one.ours + one.others != one.gross:
            note(_sum_differs(payout, one))
        if one.ours != one.booked:
            note(_books_differ(payout, one))
        day = payouts.totals.setdefault((payout.day, payout.gross.currency), PayoutTotals())
        for name in PayoutTotals.__slots__:
            setattr(day, name, getattr(day, name) + getattr(one, name))

    def _count(
        self, one: PayoutTotals, payouts: Payouts, row: ListedPayment, purchase: Purchase | None
    ) -> None:
        one.payments += 1
        amount = row.payment.amount.minor_units if row.payment else 0
        if purchase is None or _is_second(row, purchase):
            one.others += amount
            return
        one.ours += amount
        if purchase.awaits_payment:
            # Examining it may just have credited it.
            with self.transactions.begin() as tx:
                purchase = tx.purchases.find(purchase.reference)
        if purchase.paid is None or purchase.awaits_payment:
            return
        one.booked += purchase.paid.minor_units
        if purchase.state is PurchaseState.PAID:
            payouts.paid_out[_key(purchase, purchase.paid)] += purchase.paid.minor_units

    def _missing(
        self, since: datetime, until: datetime, payouts: Payouts, *, due: datetime
    ) -> Iterator[tuple[tuple[date, str], int]]:
        """Return what was credited before ``due`` and is in no payout, by whole days."""
        start = _midnight(since + _DAY - timedelta.resolution)
        while (end := start + _DAY) <= min(until, due):
            booked: Counter[tuple[date, str]] = Counter()
            for purchase, paid in self._booked(start, end, due):
                booked[_key(purchase, paid)] += paid.minor_units
            for key, amount in sorted(booked.items()):
                missing = amount - payouts.paid_out[key]
                if missing > 0 and missing > self._partly_back(start, end, due, key):
                    yield key, missing
            start = end

    def _booked(
        self, start: datetime, end: datetime, due: datetime
    ) -> Iterator[tuple[Purchase, Money]]:
        """Return what was credited and did not go back; money that came late is due later."""
        for purchase in credited_between(self.transactions, start, end):
            is_due = purchase.closed_at is None or purchase.closed_at < due
            if purchase.paid is not None and purchase.state is PurchaseState.PAID and is_due:
                yield purchase, purchase.paid

    def _partly_back(
        self, start: datetime, end: datetime, due: datetime, key: tuple[date, str]
    ) -> int:
        """Return what was paid for purchases of a day that went back in part."""
        found = 0
        for purchase, paid in self._booked(start, end, due):
            if _key(purchase, paid) == key:
                with self.transactions.begin() as tx:
                    refunds = tx.refunds.of(purchase.reference)
                found += paid.minor_units if any(row.in_force for row in refunds) else 0
        return found


def _is_second(row: ListedPayment, purchase: Purchase) -> bool:
    """Whether a purchase was credited for another payment than this: a person decides about it."""
    number = row.payment.provider_id if row.payment else ""
    return bool(number and purchase.provider_id) and number != purchase.provider_id


def _key(purchase: Purchase, paid: Money) -> tuple[date, str]:
    return purchase.created_at.astimezone(UTC).date(), paid.currency


def _midnight(instant: datetime) -> datetime:
    return datetime.combine(instant.astimezone(UTC).date(), time(), tzinfo=UTC)


def _failed(payout: Settlement) -> Finding:
    return _of(payout, FindingKind.PAYOUT_FAILED, "The money did not reach your bank account.")


def _sum_differs(payout: Settlement, one: PayoutTotals) -> Finding:
    named = Money(one.ours + one.others, payout.gross.currency)
    told = f"The {one.payments} payments that it names come to {named}."
    return _of(payout, FindingKind.PAYOUT_SUM_DIFFERS, told)


def _books_differ(payout: Settlement, one: PayoutTotals) -> Finding:
    ours, booked = (Money(units, payout.gross.currency) for units in (one.ours, one.booked))
    told = f"Of ours it holds {ours}; the same payments are {booked} here."
    return _of(payout, FindingKind.PAYOUT_BOOKS_DIFFER, told)


def _of(payout: Settlement, kind: FindingKind, told: str) -> Finding:
    return Finding(kind=kind, reference=f"payout {payout.id}", amount=payout.gross, detail=told)


def _not_paid_out(day: date, missing: Money) -> Finding:
    return Finding(
        kind=FindingKind.NOT_PAID_OUT,
        reference=f"{day}",
        amount=missing,
        detail=f"Credited on that day, and in no payout of the {PAID_OUT_WITHIN.days} days since.",
    )
