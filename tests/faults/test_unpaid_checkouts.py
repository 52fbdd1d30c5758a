"""Checkouts that are never paid, at the pace of a card tester: refused, bounded, never credited.

500 here, 10,000 with ``make faults``.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from creditcore import AuditBooks, ConfirmPayment, Credits, Money, PollPayments, Wallet
from creditcore.domain.errors import PurchaseLimitError
from creditcore.domain.people import Person
from creditcore.domain.purchases import UNFINISHED_AFTER, Payment, PaymentStatus, PurchaseState
from creditcore.domain.sale_terms import MAX_CHECKOUTS_PER_DAY, SaleTerms
from creditcore.ports.payment_list import ListedPayment, Settlement
from creditcore.ports.transactions import Transactions
from creditcore.testing.memory import FixedClock, MemoryPaymentGateway, SequentialIds
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.payments.convert_currency import ConvertCurrency, FixedRates
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.reconcile_payments import ReconcilePayments
from creditcore.usecases.payments.sell_credits import SellCredits
from tests.faults.length import TIMES
from tests.stores import postgres_store, sqlite_store

TESTERS = 5 * TIMES
UNPAID = TESTERS * MAX_CHECKOUTS_PER_DAY
ASKED_A_ROUND = 100
MAX_PEAK_BYTES = 6_000_000
PRICE = Money(200, "USD")


@dataclass
class Provider(MemoryPaymentGateway):
    """A provider to which every checkout is given up, unless it was told of a payment."""

    asked: int = 0

    def verify(self, reference: str) -> Payment | None:
        self.asked += 1
        return self.payments.get(reference) or _abandoned(reference)


@dataclass
class TheirList:
    """Every checkout, in the order in which it began."""

    provider: Provider
    at: datetime

    def payments(self, *, since: datetime, until: datetime) -> Iterator[ListedPayment]:
        if since <= self.at < until:
            for reference in self.provider.checkouts:
                payment = self.provider.payments.get(reference) or _abandoned(reference)
                yield ListedPayment(reference=reference, payment=payment, created_at=self.at)

    def disputed(self, *, since: datetime, until: datetime) -> Iterator[str]:
        del since, until
        yield from ()

    def settlements(self, *, since: datetime, until: datetime) -> Iterator[Settlement]:
        del since, until
        yield from ()

    def payments_of(self, settlement_id: str) -> Iterator[ListedPayment]:
        del settlement_id
        yield from ()


def _abandoned(reference: str) -> Payment:
    return Payment(reference=reference, status=PaymentStatus.PENDING, amount=PRICE)


@dataclass
class Shop:
    store: Transactions
    clock: FixedClock = field(default_factory=FixedClock)
    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        self.began = self.clock.now()
        ids = SequentialIds()
        self.payments = ConfirmPayment(
            transactions=self.store, gateway=self.provider, clock=self.clock
        )
        self.sales = SellCredits(
            transactions=self.store,
            gateway=self.provider,
            payments=self.payments,
            converter=ConvertCurrency(rates=FixedRates({})),
            clock=self.clock,
            ids=ids,
            terms=SaleTerms(),
        )
        self.reconciliation = ReconcilePayments(
            transactions=self.store,
            payments=self.payments,
            refunds=FollowRefunds(
                transactions=self.store,
                payments=self.payments,
                gateway=self.provider,
                refund_gateway=MemoryRefundGateway(self.provider),
                clock=self.clock,
                ids=ids,
            ),
            gateway=self.provider,
            payment_list=TheirList(self.provider, self.began),
            clock=self.clock,
        )

    def a_person(self, name: str) -> Person:
        person = Person(id=name, email=f"{name}@example.com", created_at=self.began)
        with self.store.begin() as tx:
            tx.people.add(person)
            tx.ledger.add_wallet(Wallet(id=f"wallet-{name}", owner_id=name))
            tx.commit()
        return person

    def begin(self, person: Person) -> str:
        """Begin a checkout a moment later; return its reference."""
        self.clock.advance(timedelta(milliseconds=1))
        offer = self.sales.offer(PRICE)
        return self.sales.start(
            person, offer, return_url="https://a.example/", cancel_url="https://a.example/"
        ).reference

    def a_poller(self) -> PollPayments:
        return PollPayments(transactions=self.store, payments=self.payments, clock=self.clock)

    def states(self, references: Collection[str]) -> set[PurchaseState]:
        found: set[PurchaseState] = set()
        names = list(references)
        for start in range(0, len(names), 100):
            with self.store.begin() as tx:
                some = tx.purchases.among(names[start : start + 100])
            found |= {row.state for row in some.values()}
        return found

    def posted(self, name: str) -> Credits:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet_of(name).posted


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as resources:
        store = sqlite_store(tmp_path) if request.param == "sqlite" else postgres_store()
        yield Shop(resources.enter_context(store))


def peak_of(work: Callable[[], object]) -> int:
    """Return how much memory a piece of work takes at most, beside what there is."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_card_testers_are_refused_and_nobody_waits_for_what_they_leave(shop: Shop) -> None:
    amina = shop.a_person("amina")
    hers = shop.begin(amina)
    testers = [shop.a_person(f"tester-{number}") for number in range(TESTERS)]
    for tester in testers:
        for _ in range(MAX_CHECKOUTS_PER_DAY):
            shop.begin(tester)
        with pytest.raises(PurchaseLimitError):
            shop.begin(tester)
    unpaid = set(shop.provider.checkouts) - {hers}
    assert len(unpaid) == UNPAID
    # She pays, and the webhook is lost: hers is behind all of theirs.
    shop.provider.payments[hers] = Payment(
        reference=hers, status=PaymentStatus.SUCCEEDED, amount=PRICE, provider_id="1"
    )

    poller, rounds = shop.a_poller(), 0
    while shop.posted("amina") == Credits(0):
        shop.provider.asked = 0
        poller.confirm_pending()
        rounds += 1
        assert shop.provider.asked <= ASKED_A_ROUND
    # A page of fifty begins with the last of the one before.
    assert rounds <= UNPAID // 49 + 2

    now = shop.clock.now()
    peak = peak_of(lambda: shop.reconciliation.reconcile(since=now - timedelta(days=1), until=now))
    result = shop.reconciliation.reconcile(since=now - timedelta(days=1), until=now)
    assert (result.compared, result.is_clean, result.findings) == (UNPAID + 1, True, [])
    assert peak < MAX_PEAK_BYTES
    assert {shop.posted(tester.id) for tester in testers} == {Credits(0)}
    assert shop.states(unpaid) == {PurchaseState.PENDING}

    # They are no more asked about once a week is over.
    shop.clock.advance(UNFINISHED_AFTER)
    poller = shop.a_poller()
    for _ in range(UNPAID // 50 + 1):
        poller.confirm_pending()
    shop.provider.asked = 0
    poller.confirm_pending()
    assert shop.provider.asked == 0
    assert shop.states(unpaid) == {PurchaseState.FAILED}
    assert AuditBooks(transactions=shop.store).audit().clean
