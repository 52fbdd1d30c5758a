"""A webhook is kept before it is acknowledged, and acted upon until its payment is decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from creditcore import ConfirmPayment, Credits, Money, PaymentInbox, PollPayments, Purchase
from creditcore.domain.errors import (
    PaymentGatewayUnavailableError,
    StoreUnavailableError,
    WebhookRefusedError,
)
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.ports.transactions import Transaction, Transactions
from creditcore.testing.contracts import MINUTE, NOON, a_purchase, a_wallet, at_once
from creditcore.testing.memory import FixedClock, MemoryPaymentGateway, SequentialIds
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.payments.follow_refunds import FollowRefunds

SIGNED = "signed"
SECOND = timedelta(seconds=1)


@dataclass
class Provider(MemoryPaymentGateway):
    """A payment provider that may be away, or slow.

    Attributes:
        asked: Which payments were verified.
    """

    store: Transactions = None  # type: ignore[assignment]
    clock: FixedClock = field(default_factory=FixedClock)
    away: bool = False
    takes: timedelta = timedelta()
    asked: list[str] = field(default_factory=list)

    def verify(self, reference: str) -> Payment | None:
        # Transactions do not nest: this would fail if the caller had one open.
        with self.store.begin():
            self.asked.append(reference)
        self.clock.advance(self.takes)
        if self.away:
            raise PaymentGatewayUnavailableError("Nobody answers.")
        return super().verify(reference)


@dataclass
class Unreliable:
    """A store that is away now and then."""

    store: Transactions
    away: bool = False

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        if self.away:
            raise StoreUnavailableError("The database does not answer.")
        with self.store.begin() as tx:
            yield tx


@dataclass
class Shop:
    store: Unreliable
    provider: Provider
    clock: FixedClock
    payments: ConfirmPayment
    inbox: PaymentInbox
    poller: PollPayments

    def checkout(
        self,
        reference: str = "cc-1",
        status: PaymentStatus = PaymentStatus.SUCCEEDED,
        *,
        paid: Money | None = None,
        state: PurchaseState = PurchaseState.PENDING,
    ) -> None:
        """Let somebody begin to buy, and the provider know of a payment."""
        with self.store.begin() as tx:
            purchase = replace(
                a_purchase(tx.ledger.find_wallet("wallet-1"), reference=reference),
                state=state,
                closed_at=None if state is PurchaseState.PENDING else NOON,
            )
            tx.purchases.add(purchase)
            tx.commit()
        amount = paid or purchase.offer.price
        self.provider.payments[reference] = Payment(
            reference=reference, status=status, amount=amount
        )

    def report(self, reference: str = "cc-1", *, note: str = "") -> PaymentEvent | None:
        """Deliver the webhook that tells of a payment."""
        body = f"paid {reference}".encode()
        return self.inbox.receive(body + note.encode(), SIGNED)

    def acknowledge(self, reference: str = "cc-1") -> None:
        """Deliver a webhook to a process that dies when it has answered."""
        assert self.report(reference) is not None

    def purchase(self, reference: str = "cc-1") -> Purchase:
        with self.store.begin() as tx:
            return tx.purchases.find(reference)

    def posted(self) -> Credits:
        with self.store.begin() as tx:
            return tx.ledger.find_wallet("wallet-1").posted

    def kept(self, body: bytes = b"paid cc-1") -> PaymentEvent:
        """Return an event as it is kept: as another delivery, which is not counted, would."""
        nothing = PaymentEvent(
            digest=digest_of(body),
            kind=EventKind.OTHER,
            name="",
            reference="",
            body="",
            received_at=NOON,
        )
        with self.store.begin() as tx:
            kept = tx.payment_events.record(nothing)
        return replace(kept, deliveries=kept.deliveries - 1)

    def save(self, event: PaymentEvent) -> None:
        with self.store.begin() as tx:
            tx.payment_events.save(event)
            tx.commit()

    def alerts(self) -> list[str]:
        with self.store.begin() as tx:
            return [alert.key for alert in tx.alerts.recent(limit=100)]

    def assert_credited_once(self, *several: str) -> None:
        references = several or ("cc-1",)
        for reference in references:
            assert self.purchase(reference).state is PurchaseState.PAID
        assert self.posted() == Credits.of(2000 * len(references))
        with self.store.begin() as tx:
            for invariant in ("I1", "I4"):
                assert tx.audit.breaches(invariant, limit=10) == []


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def shop(any_store: Transactions) -> Shop:
    store, clock = Unreliable(any_store), FixedClock(NOON)
    provider = Provider(store=any_store, clock=clock)
    a_wallet(any_store)
    payments = ConfirmPayment(transactions=store, gateway=provider, clock=clock)
    refunds = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=provider,
        refund_gateway=MemoryRefundGateway(provider),
        clock=clock,
        ids=SequentialIds(),
    )
    inbox = PaymentInbox(
        transactions=store, gateway=provider, payments=payments, refunds=refunds, clock=clock
    )
    poller = PollPayments(transactions=store, payments=payments, clock=clock)
    return Shop(store, provider, clock, payments, inbox, poller)


# -- first kept, then acted upon ---------------------------------------------------------------


def test_a_webhook_is_kept_before_the_provider_is_asked(shop: Shop) -> None:
    shop.checkout()

    event = shop.report()

    assert event is not None
    assert shop.provider.asked == []
    assert shop.posted() == Credits.of(0)
    assert shop.inbox.process(event) is True
    shop.assert_credited_once()
    assert shop.kept().due_at is None


def test_what_a_dead_process_acknowledged_is_credited_by_the_worker(shop: Shop) -> None:
    shop.checkout()
    shop.acknowledge()

    shop.clock.advance(MINUTE - SECOND)
    too_early = shop.inbox.process_due()
    shop.clock.advance(SECOND)
    in_time = shop.inbox.process_due()

    assert (too_early, in_time) == (0, 1)
    shop.assert_credited_once()


def test_a_worker_that_died_between_credits_and_mark_credits_no_more(shop: Shop) -> None:
    shop.checkout()
    shop.acknowledge()
    shop.payments.confirm("cc-1")

    shop.clock.advance(MINUTE)

    assert shop.inbox.process_due() == 1
    assert shop.provider.asked == ["cc-1"]
    shop.assert_credited_once()


def test_what_cannot_be_kept_is_not_acknowledged(shop: Shop) -> None:
    shop.checkout()
    shop.store.away = True

    with pytest.raises(StoreUnavailableError):
        shop.report()

    shop.store.away = False
    assert shop.report() is not None


def test_a_forged_webhook_is_not_kept(shop: Shop) -> None:
    with pytest.raises(WebhookRefusedError):
        shop.inbox.receive(b"paid cc-1", "forged")

    assert shop.kept().deliveries == 0


# -- what comes late ---------------------------------------------------------------------------


@dataclass
class Noted:
    """Follows payments."""

    decided_: list[str] = field(default_factory=list)

    def decided(self, tx: object, purchase: Purchase, payment: Payment) -> None:
        del tx, payment
        self.decided_.append(purchase.reference)

    def refunded(self, tx: object, purchase: Purchase, refund: object) -> None:
        del tx, purchase, refund


def paid_by_phone(shop: Shop) -> None:
    """Let a payment be credited whose network has told no code."""
    shop.checkout()
    payment = shop.provider.payments["cc-1"]
    shop.provider.payments["cc-1"] = replace(payment, channel="mobile_money", provider_id="77")
    shop.payments.confirm("cc-1")


def the_code_comes(shop: Shop, code: str = "SKL7XYZ12A") -> None:
    payment = shop.provider.payments["cc-1"]
    shop.provider.payments["cc-1"] = replace(payment, receipt_code=code)


def test_a_code_that_comes_after_the_money_is_added_once(shop: Shop) -> None:
    follower = Noted()
    payments = replace(shop.payments, followers=[follower])
    shop = replace(shop, payments=payments, inbox=replace(shop.inbox, payments=payments))
    paid_by_phone(shop)
    for note, code in [(" too soon", ""), ("", "SKL7XYZ12A"), (" again", "SKL7ANOTHER")]:
        the_code_comes(shop, code)
        event = shop.report(note=note)
        assert event is not None
        assert shop.inbox.process(event) is True

    with shop.store.begin() as tx:
        assert tx.purchases.find("cc-1").receipt_code == "SKL7XYZ12A"
    assert follower.decided_ == ["cc-1"]
    # Once for the money, twice for the code; with the code there is nothing to ask about.
    assert shop.provider.asked == ["cc-1"] * 3
    shop.assert_credited_once()


def test_a_code_that_cannot_be_looked_up_is_no_worry(shop: Shop) -> None:
    paid_by_phone(shop)
    shop.provider.away = True
    event = shop.report()
    assert event is not None

    assert shop.inbox.process(event) is True

    assert shop.kept().due_at is None
    assert shop.alerts() == []
    shop.assert_credited_once()


# -- until it is decided -----------------------------------------------------------------------


def test_while_the_provider_is_away_it_is_asked_less_and_less_often(shop: Shop) -> None:
    shop.checkout()
    shop.provider.away = True
    shop.acknowledge()
    pauses, raised = [], []
    asked_at = shop.clock.now()
    for _ in range(10):
        while not shop.provider.asked:
            shop.clock.advance(MINUTE)
            assert shop.inbox.process_due() == 0
        shop.provider.asked.clear()
        pauses.append((shop.clock.now() - asked_at) // MINUTE)
        raised.append(len(shop.alerts()))
        asked_at = shop.clock.now()

    shop.provider.away = False
    shop.clock.advance(60 * MINUTE)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert raised == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert shop.alerts() == [f"stuck_webhook:{digest_of(b'paid cc-1')}"]
    assert shop.inbox.process_due() == 1
    shop.assert_credited_once()


def test_an_event_that_is_never_decided_is_tried_for_ever(shop: Shop) -> None:
    shop.checkout(status=PaymentStatus.PENDING)
    shop.acknowledge()
    shop.save(replace(shop.kept(), attempts=10**6))

    shop.clock.advance(MINUTE)
    shop.inbox.process_due()

    kept = shop.kept()
    assert (kept.attempts, kept.due_at) == (10**6 + 1, shop.clock.now() + 60 * MINUTE)


def test_a_provider_that_contradicts_its_own_webhook_is_asked_again(shop: Shop) -> None:
    shop.checkout(status=PaymentStatus.PENDING)
    event = shop.report()
    assert event is not None

    at_first = shop.inbox.process(event)
    shop.provider.payments["cc-1"] = replace(
        shop.provider.payments["cc-1"], status=PaymentStatus.SUCCEEDED
    )
    shop.clock.advance(MINUTE)

    assert at_first is False
    assert shop.inbox.process_due() == 1
    shop.assert_credited_once()


def test_money_that_arrives_after_a_failure_is_credited(shop: Shop) -> None:
    shop.checkout(state=PurchaseState.FAILED)
    by_the_poller = shop.poller.confirm_pending()
    shop.acknowledge()

    shop.clock.advance(MINUTE)

    assert by_the_poller == 0
    assert shop.inbox.process_due() == 1
    shop.assert_credited_once()


def test_a_failure_that_may_be_none_is_asked_about_again(shop: Shop) -> None:
    shop.checkout(status=PaymentStatus.FAILED, state=PurchaseState.FAILED)
    event = shop.report()
    assert event is not None

    assert shop.inbox.process(event) is False
    assert shop.kept().due_at == NOON + MINUTE


def test_when_the_database_is_away_in_between_it_is_tried_again(shop: Shop) -> None:
    shop.checkout()
    event = shop.report()
    assert event is not None
    shop.store.away = True

    with pytest.raises(StoreUnavailableError):
        shop.inbox.process(event)
    with pytest.raises(StoreUnavailableError):
        shop.inbox.process_due()

    shop.store.away = False
    shop.clock.advance(MINUTE)
    assert shop.inbox.process_due() == 1
    shop.assert_credited_once()


# -- once --------------------------------------------------------------------------------------


def test_many_workers_at_once_ask_once_about_each_payment(shop: Shop) -> None:
    references = [f"cc-{number}" for number in range(8)]
    for reference in references:
        shop.checkout(reference)
        shop.acknowledge(reference)
    shop.clock.advance(MINUTE)

    done = at_once(4, lambda _: shop.inbox.process_due())

    assert sum(int(str(count)) for count in done) == len(references)
    assert sorted(shop.provider.asked) == references
    shop.assert_credited_once(*references)


def test_webhook_worker_and_return_at_once_credit_once(shop: Shop) -> None:
    shop.checkout()
    event = shop.report()
    assert event is not None
    shop.clock.advance(MINUTE)
    reports = [
        lambda: shop.inbox.process(event),
        lambda: shop.payments.confirm("cc-1"),
        shop.inbox.process_due,
        shop.poller.confirm_pending,
    ]

    outcomes = at_once(len(reports), lambda index: reports[index]())

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    shop.assert_credited_once()
    assert shop.kept().due_at is None


def test_a_repeat_while_a_process_is_at_it_is_only_counted(shop: Shop) -> None:
    shop.checkout()
    shop.acknowledge()

    again = shop.report()

    assert again is None
    assert (shop.kept().deliveries, shop.kept().attempts) == (2, 1)


def test_a_repeat_of_what_is_due_is_acted_upon(shop: Shop) -> None:
    shop.checkout()
    shop.acknowledge()
    shop.clock.advance(MINUTE)

    again = shop.report()

    assert again is not None
    assert again.attempts == 2
    assert shop.inbox.process_due() == 0


def test_a_repeat_of_what_was_done_is_only_counted(shop: Shop) -> None:
    shop.checkout()
    event = shop.report()
    assert event is not None
    shop.inbox.process(event)

    again = shop.report()
    shop.clock.advance(60 * MINUTE)

    assert again is None
    assert shop.kept().deliveries == 2
    assert shop.inbox.process_due() == 0
    assert shop.provider.asked == ["cc-1"]


@pytest.mark.parametrize("state", [PurchaseState.PENDING, PurchaseState.FAILED])
def test_a_repeat_of_what_was_done_without_credits_is_acted_upon(
    shop: Shop, state: PurchaseState
) -> None:
    shop.checkout(state=state)
    shop.acknowledge()
    shop.save(replace(shop.kept(), due_at=None))

    again = shop.report()

    assert again is not None
    assert shop.inbox.process(again)
    shop.assert_credited_once()


# -- what nothing is credited for --------------------------------------------------------------


def test_a_payment_of_others_is_kept_with_an_alert(shop: Shop) -> None:
    event = shop.report("elsewhere-1")
    assert event is not None

    assert shop.inbox.process(event) is True

    assert shop.alerts() == ["unknown_payment:elsewhere-1"]
    assert shop.kept(b"paid elsewhere-1").due_at is None
    assert shop.provider.asked == ["elsewhere-1"], "whether there is money to decide about"


@pytest.mark.parametrize("paid", [Money(128999, "KES"), Money(129000, "USD")], ids=str)
def test_a_payment_that_does_not_match_is_kept_for_review(shop: Shop, paid: Money) -> None:
    shop.checkout(paid=paid)
    event = shop.report()
    assert event is not None

    assert shop.inbox.process(event) is True

    assert shop.purchase().state is PurchaseState.UNDER_REVIEW
    assert shop.alerts() == ["review:cc-1"]
    assert shop.posted() == Credits.of(0)


@pytest.mark.parametrize("body", [b"transfer.success cc-1", b"new.kind cc-1"])
def test_an_event_that_needs_nothing_is_done_at_once(shop: Shop, body: bytes) -> None:
    shop.checkout()

    claimed = [shop.inbox.receive(body, SIGNED) for _ in range(2)]
    shop.clock.advance(MINUTE)

    assert claimed == [None, None]
    assert shop.kept(body).deliveries == 2
    assert shop.inbox.process_due() == 0
    assert shop.provider.asked == []
    assert shop.alerts() == []


def test_a_payment_without_a_name_is_done_at_once_with_an_alert(shop: Shop) -> None:
    claimed = [shop.inbox.receive(b"paid", SIGNED) for _ in range(2)]

    assert claimed == [None, None]
    assert shop.kept(b"paid").due_at is None
    assert shop.alerts() == [f"unknown_payment:{digest_of(b'paid')}"]


@pytest.mark.parametrize("body", [b"", b" \xff\0\xc3(", " é\0".encode()], ids=repr)
def test_what_is_signed_and_says_nothing_is_kept_for_review(shop: Shop, body: bytes) -> None:
    claimed = [shop.inbox.receive(body, SIGNED) for _ in range(2)]

    assert claimed == [None, None]
    assert shop.kept(body).body == body.decode(errors="backslashreplace").replace("\0", "\\x00")
    assert shop.alerts() == [f"unreadable_webhook:{digest_of(body)}"]


# -- an end to each round ----------------------------------------------------------------------


def test_a_round_has_an_end_however_many_are_due(shop: Shop) -> None:
    for number in range(52):
        shop.acknowledge(f"elsewhere-{number}")
    shop.clock.advance(MINUTE)

    assert [shop.inbox.process_due() for _ in range(3)] == [50, 2, 0]


def test_a_round_has_an_end_however_slow_the_provider_is(shop: Shop) -> None:
    references = [f"cc-{number}" for number in range(5)]
    for reference in references:
        shop.checkout(reference)
        shop.acknowledge(reference)
    shop.clock.advance(MINUTE)
    shop.provider.takes = 20 * SECOND

    assert [shop.inbox.process_due() for _ in range(3)] == [2, 2, 1]
    shop.assert_credited_once(*references)


def test_one_that_is_never_confirmed_is_in_no_others_way(shop: Shop) -> None:
    shop.checkout("cc-1", PaymentStatus.PENDING)
    shop.acknowledge("cc-1")
    shop.checkout("cc-2")
    shop.acknowledge("cc-2")

    shop.clock.advance(MINUTE)

    assert shop.inbox.process_due() == 1
    assert shop.purchase("cc-2").state is PurchaseState.PAID
