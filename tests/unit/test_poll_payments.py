"""A payment is found, however many others are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from creditcore import ConfirmPayment, PollPayments
from creditcore.domain.purchases import (
    UNFINISHED_AFTER,
    Payment,
    PaymentStatus,
    PurchaseState,
)
from creditcore.testing.contracts import NOON, a_purchase, a_wallet
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
)

SECOND = timedelta(seconds=1)


@dataclass
class Shop:
    store: MemoryTransactions
    gateway: MemoryPaymentGateway
    poller: PollPayments

    def checkout(self, reference: str, status: PaymentStatus, *, at: datetime) -> None:
        """Let somebody begin to buy, and then pay or not."""
        purchase = replace(
            a_purchase(self.store.committed.wallets["wallet-1"], reference=reference),
            created_at=at,
        )
        with self.store.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()
        self.gateway.payments[reference] = Payment(
            reference=reference, status=status, amount=purchase.offer.price
        )

    def state(self, reference: str) -> PurchaseState:
        return self.store.committed.purchases[reference].state


@pytest.fixture
def shop() -> Shop:
    store, gateway, clock = MemoryTransactions(), MemoryPaymentGateway(), FixedClock(NOON)
    a_wallet(store)
    payments = ConfirmPayment(transactions=store, gateway=gateway, clock=clock)
    return Shop(store, gateway, PollPayments(transactions=store, payments=payments, clock=clock))


def test_a_payment_is_found_behind_any_number_that_are_never_decided(shop: Shop) -> None:
    shop.checkout("paid", PaymentStatus.SUCCEEDED, at=NOON - timedelta(days=3))
    for number in range(170):
        at = NOON - timedelta(minutes=number)
        shop.checkout(f"abandoned-{number}", PaymentStatus.PENDING, at=at)

    decided = [shop.poller.confirm_pending() for _ in range(5)]

    assert sum(decided) == 1
    assert shop.state("paid") is PurchaseState.PAID


def test_what_stays_pending_for_a_week_is_asked_about_no_more(shop: Shop) -> None:
    shop.checkout("abandoned", PaymentStatus.PENDING, at=NOON - UNFINISHED_AFTER)
    shop.checkout("awaited", PaymentStatus.PENDING, at=NOON - UNFINISHED_AFTER + SECOND)

    decided = [shop.poller.confirm_pending() for _ in range(2)]

    assert decided == [1, 0]
    assert shop.state("abandoned") is PurchaseState.FAILED
    assert shop.state("awaited") is PurchaseState.PENDING
    late = replace(shop.gateway.payments["abandoned"], status=PaymentStatus.SUCCEEDED)
    shop.gateway.payments["abandoned"] = late
    shop.poller.payments.confirm("abandoned")
    assert shop.state("abandoned") is PurchaseState.PAID, "money that comes late still counts"


def test_what_was_begun_just_now_is_asked_about_each_time(shop: Shop) -> None:
    for number in range(170):
        at = NOON - timedelta(days=1, minutes=number)
        shop.checkout(f"abandoned-{number}", PaymentStatus.PENDING, at=at)
    shop.poller.confirm_pending()

    shop.checkout("paid", PaymentStatus.SUCCEEDED, at=NOON)

    assert shop.poller.confirm_pending() == 1
    assert shop.state("paid") is PurchaseState.PAID
