"""A hundred purchases, each confirmed from every side at once, while workers are killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from adapters.paystack import PaystackGateway, PaystackPaymentList, PaystackRefunds
from creditcore import (
    ConfirmPayment,
    ConvertCurrency,
    CreditcoreError,
    FixedRates,
    Money,
    PollPayments,
    PurchaseState,
    SellCredits,
    SystemClock,
    SystemIds,
)
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.reconcile_payments import ReconcilePayments
from tests.e2e.buyer import SECRET_KEY
from tests.faults.workers import workers_of
from tests.stack import PATIENCE_S, FromAddress, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database
from tests.visitors import an_address

PEOPLE, PURCHASES = 10, 100
KILLS = 6


@pytest.fixture(scope="module")
def brittle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Four processes of our own on PostgreSQL, which no other test needs to survive."""
    data: Path = tmp_path_factory.mktemp("hundred")
    with migrated_postgres_database() as url, running_stack(url, data, workers=4) as stack:
        yield stack


class Till:
    """The use cases in this process, beside those of the gateway."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        clock, ids, store = SystemClock(), SystemIds(), stack.store
        gateway = PaystackGateway(stack.sandbox.paystack_url, SECRET_KEY)
        self.payments = ConfirmPayment(transactions=store, gateway=gateway, clock=clock)
        self.sales = SellCredits(
            transactions=store,
            gateway=gateway,
            payments=self.payments,
            converter=ConvertCurrency(rates=FixedRates({})),
            clock=clock,
            ids=ids,
        )
        self.poller = PollPayments(transactions=store, payments=self.payments, clock=clock)
        self.reconciliation = ReconcilePayments(
            transactions=store,
            payments=self.payments,
            refunds=FollowRefunds(
                transactions=store,
                payments=self.payments,
                gateway=gateway,
                refund_gateway=PaystackRefunds(gateway),
                clock=clock,
                ids=ids,
            ),
            gateway=gateway,
            payment_list=PaystackPaymentList(gateway),
            clock=clock,
        )
        self.clock = clock

    def sell(self) -> list[str]:
        """Let some people begin all the purchases."""
        people = []
        for _ in range(PEOPLE):
            account = self.stack.an_account()
            with self.stack.store.begin() as tx:
                people.append(tx.people.find(account.person_id))
        offer = self.sales.offer(Money(1000, "USD"))
        return [
            self.sales.start(
                people[number % PEOPLE], offer, return_url="http://x.example/a",
                cancel_url="http://x.example/b",
            ).reference
            for number in range(PURCHASES)
        ]  # fmt: skip

    def control(self, path: str, **order: object) -> None:
        url = f"{self.stack.sandbox.base_url}/control/paystack/{path}"
        requests.post(url, json=order, timeout=PATIENCE_S).raise_for_status()

    def pay(self, reference: str) -> None:
        """Pay, and let its webhook leave, several times and at once."""
        self.control("pay", reference=reference)
        self.control("deliver", reference=reference, times=2)

    def come_back(self, reference: str) -> None:
        """Return from the provider's page, as a browser of its own; workers may die meanwhile."""
        with requests.Session() as browser, suppress(requests.RequestException):
            browser.mount("http://", FromAddress(an_address()))
            browser.get(
                f"{self.stack.base_url}/payments/paystack",
                params={"reference": reference},
                allow_redirects=False,
                timeout=PATIENCE_S,
            )

    def look_up(self, _: str) -> None:
        """Ask about what is pending, as the worker does."""
        with suppress(CreditcoreError):
            self.poller.confirm_pending()

    def reconcile(self) -> bool:
        now = self.clock.now()
        result = self.reconciliation.reconcile(
            since=now - timedelta(hours=1), until=now + timedelta(minutes=1)
        )
        return result.is_clean

    def states(self, references: list[str]) -> set[PurchaseState]:
        with self.stack.store.begin() as tx:
            return {row.state for row in tx.purchases.among(references).values()}


def test_a_hundred_purchases_are_credited_exactly_once_each(brittle: Stack) -> None:
    till, chance = Till(brittle), random.Random(14)  # noqa: S311 - an order, no secret
    references = till.sell()
    errands: list[tuple[Callable[[str], None], str]] = [
        (errand, reference)
        for reference in references
        for errand in (till.pay, till.come_back, till.come_back)
    ]
    errands += [(till.look_up, "")] * 4
    chance.shuffle(errands)
    calm = threading.Event()

    def kill_workers() -> None:
        for _ in range(KILLS):
            if alive := sorted(workers_of(brittle)):
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(alive), signal.SIGKILL)
            calm.wait(0.3)

    with ThreadPoolExecutor(9) as crowd:
        killing = crowd.submit(kill_workers)
        running = [crowd.submit(errand, reference) for errand, reference in errands]
        with suppress(CreditcoreError):
            till.reconcile()
        for one in running:
            one.result()
        killing.result()

    wait_until(lambda: till.look_up("") is None and till.states(references) == {PurchaseState.PAID})
    assert till.reconcile()
    assert brittle.audit().clean
    with brittle.store.begin() as tx:
        for reference in references:
            purchase = tx.purchases.find(reference)
            granted = [
                row.reference
                for row in tx.ledger.transfers_of(purchase.wallet_id, limit=1000)
                if reference in row.reference
            ]
            assert sorted(granted) == [
                f"purchase:{reference}:bonus",
                f"purchase:{reference}:sales",
            ]
