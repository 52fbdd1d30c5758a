"""Purchases, refunds, disputes and spending in any order keep the books, on every store."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from creditcore import (
    AuditBooks,
    ChargeUsage,
    ConfirmPayment,
    Credits,
    GroupCommit,
    InsufficientCreditsError,
    Money,
    Wallet,
)
from creditcore.domain.errors import InvalidRequestError, PaymentGatewayError
from creditcore.domain.money import ZERO
from creditcore.domain.purchases import Offer, Payment, PaymentStatus, Purchase, PurchaseState
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.refund_payment import RefundPayment
from tests.faults.length import TIMES
from tests.stores import postgres_store_and_committer, sqlite_store

CENTS = 1000
numbers = st.integers(0, 3)
parts = st.integers(1, CENTS)
ends = st.sampled_from(
    [RefundState.PENDING, RefundState.PROCESSED, RefundState.FAILED, RefundState.NEEDS_ATTENTION]
)


class Payments(RuleBasedStateMachine):
    """What payers, their banks, the provider and an operator do, in any order."""

    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        """Open an empty store, and what money steps go through."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.store, books = self.open_store()
        self.clock, ids = FixedClock(), SequentialIds()
        self.commits = self.resources.enter_context(
            GroupCommit(transactions=books, clock=self.clock)
        )
        self.charge = ChargeUsage(commits=self.commits, transactions=self.store, clock=self.clock)
        self.provider = MemoryPaymentGateway()
        self.refund_gateway = MemoryRefundGateway(self.provider)
        self.payments = ConfirmPayment(
            transactions=self.store, gateway=self.provider, clock=self.clock
        )
        self.follower = FollowRefunds(
            transactions=self.store,
            payments=self.payments,
            gateway=self.provider,
            refund_gateway=self.refund_gateway,
            clock=self.clock,
            ids=ids,
        )
        self.refunds = RefundPayment(
            transactions=self.store, gateway=self.refund_gateway, refunds=self.follower, ids=ids
        )
        self.debts = ClearDebt(transactions=self.store, clock=self.clock, ids=ids)
        self.calls = 0
        self.spent = 0
        self.forgiven = 0
        self.disputed: dict[int, list[ReportedRefund]] = {}
        with self.store.begin() as tx:
            tx.ledger.add_wallet(Wallet(id="wallet", owner_id="amina"))
            for number in range(4):
                tx.purchases.add(self.a_purchase(number))
            tx.commit()

    def teardown(self) -> None:
        self.resources.close()

    def a_purchase(self, number: int) -> Purchase:
        price = Money(CENTS, "USD")
        return Purchase(
            reference=f"cc-{number}",
            owner_id="amina",
            wallet_id="wallet",
            email="amina@example.com",
            offer=Offer(
                value=price,
                price=price,
                rate=None,
                # Nothing that a part of 1,000 cents divides.
                sold=Credits(1_000_003 + number),
                bonus=Credits(number * 999_983),
            ),
            created_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(hours=1),
        )

    @rule(number=numbers)
    def pay(self, number: int) -> None:
        reference = f"cc-{number}"
        self.provider.payments[reference] = Payment(
            reference=reference,
            status=PaymentStatus.SUCCEEDED,
            amount=Money(CENTS, "USD"),
            provider_id=str(number),
        )
        self.payments.confirm(reference)

    @rule(amount=st.integers(1, 4_000_000), unused=st.integers(0, 2))
    def spend(self, amount: int, unused: int) -> None:
        self.calls += 1
        cost = amount // (unused + 1)
        try:
            hold = self.charge.authorize(
                "wallet", ceiling=Credits(amount), reference=f"call-{self.calls}"
            ).hold
        except InsufficientCreditsError:
            return
        self.charge.settle(hold, Credits(cost))
        self.spent += cost

    @rule(number=numbers, cents=st.none() | parts, is_silent=st.booleans())
    def refund(self, number: int, cents: int | None, *, is_silent: bool) -> None:
        self.refund_gateway.is_silent = is_silent
        amount = None if cents is None else Money(cents, "USD")
        try:
            self.refunds.refund(f"cc-{number}", amount, reason="test")
        except (InvalidRequestError, PaymentGatewayError):
            return
        finally:
            self.refund_gateway.is_silent = False

    @rule(number=numbers, cents=parts)
    def refund_that_never_arrives(self, number: int, cents: int) -> None:
        self.refund_gateway.is_deaf = True
        try:
            self.refunds.refund(f"cc-{number}", Money(cents, "USD"), reason="test")
        except InvalidRequestError:
            return
        finally:
            self.refund_gateway.is_deaf = False

    @precondition(lambda self: self.provider.payments)
    @rule(number=numbers, cents=parts)
    def refund_on_the_dashboard(self, number: int, cents: int) -> None:
        made = self.refund_gateway.refunds.get(str(number), [])
        gone = sum(row.amount.minor_units for row in made if row.state is not RefundState.FAILED)
        if f"cc-{number}" in self.provider.payments and gone + cents <= CENTS:
            self.refund_gateway.make(str(number), Money(cents, "USD"))

    @rule(number=numbers, state=ends, data=st.data())
    def the_provider_goes_on(self, number: int, state: RefundState, data: st.DataObject) -> None:
        made = self.refund_gateway.refunds.get(str(number), [])
        under_way = [
            index
            for index, row in enumerate(made)
            if row.state not in (RefundState.PROCESSED, RefundState.FAILED)
        ]
        if under_way:
            self.refund_gateway.move(str(number), data.draw(st.sampled_from(under_way)), state)

    @rule(number=numbers)
    def hear_of_refunds(self, number: int) -> None:
        self.follower.follow(f"cc-{number}")

    @rule(number=numbers, cents=parts, states=st.lists(ends, min_size=1, max_size=3))
    def dispute(self, number: int, cents: int, states: list[RefundState]) -> None:
        known = self.disputed.setdefault(number, [])
        if f"cc-{number}" not in self.provider.payments or len(known) > 6:
            return
        reports = [
            ReportedRefund(
                provider_id=f"{number}-{len(known)}",
                amount=Money(cents, "USD"),
                state=state,
                kind=RefundKind.DISPUTE,
            )
            for state in states
            if state is not RefundState.NEEDS_ATTENTION
        ]
        known.extend(reports)
        for report in reports:
            self.follower.apply(f"cc-{number}", [report])

    @rule(number=numbers, data=st.data())
    def hear_again_of_a_dispute(self, number: int, data: st.DataObject) -> None:
        if known := self.disputed.get(number):
            self.follower.apply(f"cc-{number}", [data.draw(st.sampled_from(known))])

    @rule()
    def clear_the_debt(self) -> None:
        self.forgiven += self.debts.clear("wallet", reason="test").microcredits

    @rule(minutes=st.sampled_from([1, 11, 20]))
    def let_the_worker_look(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        self.follower.chase()

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        granted = reversed_ = 0
        with self.store.begin() as tx:
            wallet = tx.ledger.find_wallet("wallet")
            for number in range(4):
                purchase = tx.purchases.find(f"cc-{number}")
                refunds = tx.refunds.of(purchase.reference)
                taken = sum((row.credits for row in refunds if row.in_force), ZERO)
                gone = sum(row.amount.minor_units for row in refunds if row.in_force)
                if purchase.state not in (PurchaseState.PAID, PurchaseState.REVERSED):
                    assert taken == ZERO
                    continue
                granted += purchase.offer.credits.microcredits
                reversed_ += taken.microcredits
                whole = purchase.offer.credits.microcredits
                exact = whole * min(gone, CENTS)
                # Never more than due and, but for less than a microcredit each, never less.
                assert abs(taken.microcredits * CENTS - exact) < CENTS * (len(refunds) + 1)
                assert (gone >= CENTS) == (purchase.state is PurchaseState.REVERSED)
                if gone >= CENTS:
                    assert taken == purchase.offer.credits
        left = granted - reversed_ - self.spent + self.forgiven
        assert wallet.posted.microcredits - wallet.owed.microcredits == left
        assert wallet.owed == ZERO or wallet.posted == wallet.held

    @invariant()
    def the_audit_is_clean(self) -> None:
        report = AuditBooks(transactions=self.store).audit()
        assert report.clean, report.breaches


class MemoryPayments(Payments):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        store = MemoryTransactions()
        return store, store


class SqlitePayments(Payments):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        folder = self.resources.enter_context(TemporaryDirectory())
        store = self.resources.enter_context(sqlite_store(Path(folder)))
        return store, store


class PostgresPayments(Payments):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        both = self.resources.enter_context(postgres_store_and_committer())
        return both.store, both.committer


def run_of(machine: type[Payments], *, examples: int, steps: int) -> type:
    case: type = machine.TestCase
    case.settings = settings(
        max_examples=examples * TIMES,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return case


TestOnMemory = run_of(MemoryPayments, examples=60, steps=40)
TestOnSqlite = run_of(SqlitePayments, examples=8, steps=30)
TestOnPostgres = run_of(PostgresPayments, examples=5, steps=30)
