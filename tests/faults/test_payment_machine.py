"""Purchases, top-ups, refunds, disputes and spending in any order keep the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from creditcore import AuditBooks, Credits, InsufficientCreditsError, Money
from creditcore.domain.errors import InvalidRequestError, PaymentGatewayError
from creditcore.domain.money import ZERO
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund
from creditcore.domain.sale_terms import DAY, MONTH
from creditcore.domain.top_ups import TopUpOrder, TopUpState
from creditcore.ports.card_gateway import CardCharge
from creditcore.usecases.payments.top_up_wallets import TopUpWish
from tests.faults.machines import OnMemory, OnPostgres, OnSqlite, StoreMachine, run_of
from tests.faults.payment_house import CENTS, PRICE, WALLET, PaymentHouse

# One of the four purchases that are begun at first; four is the latest top-up.
numbers = st.integers(0, 4)
parts = st.integers(1, CENTS)
ends = st.sampled_from(
    [RefundState.PENDING, RefundState.PROCESSED, RefundState.FAILED, RefundState.NEEDS_ATTENTION]
)
wishes = st.builds(
    TopUpWish,
    card_id=st.just("card"),
    threshold=st.sampled_from([Credits.of(1), Credits.of(100_000)]),
    value=st.just(PRICE),
    currency=st.just("USD"),
    per_day=st.integers(1, 5),
    monthly_cap=st.integers(1, 4).map(lambda times: Money(CENTS * times, "USD")),
)
answers = st.sampled_from(
    [
        CardCharge(status=PaymentStatus.SUCCEEDED),
        CardCharge(status=PaymentStatus.FAILED, message="Declined"),
        CardCharge(status=PaymentStatus.PENDING),
        CardCharge(status=PaymentStatus.PENDING, challenge_url="https://pay.example/3ds"),
    ]
)


class Payments(StoreMachine):
    """What payers, their banks, the provider and an operator do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.house = PaymentHouse.open(self.resources, *self.open_store())
        self.store = self.house.store
        self.references = [f"cc-{number}" for number in range(4)]
        self.calls = 0
        self.spent = 0
        self.forgiven = 0
        self.disputed: dict[str, list[ReportedRefund]] = {}

    def named(self, number: int) -> str:
        """Return a reference: of a purchase that was begun at first, or of the latest top-up."""
        return self.references[-1] if number > 3 else self.references[number]

    def paid_as(self, reference: str) -> str:
        """Return the provider's number of a payment; empty where there is none."""
        payment = self.house.provider.payments.get(reference)
        is_paid = payment is not None and payment.status is PaymentStatus.SUCCEEDED
        return payment.provider_id if payment is not None and is_paid else ""

    def order(self) -> TopUpOrder | None:
        return self.house.top_ups.of(WALLET)

    @rule(number=st.integers(0, 3))
    def pay(self, number: int) -> None:
        reference = f"cc-{number}"
        self.house.provider.payments[reference] = Payment(
            reference=reference,
            status=PaymentStatus.SUCCEEDED,
            amount=PRICE,
            provider_id=str(number),
        )
        self.house.payments.confirm(reference)

    @rule(amount=st.integers(1, 4_000_000), unused=st.integers(0, 2))
    def spend(self, amount: int, unused: int) -> None:
        self.calls += 1
        cost = amount // (unused + 1)
        try:
            hold = self.house.charge.authorize(
                WALLET, ceiling=Credits(amount), reference=f"call-{self.calls}"
            ).hold
        except InsufficientCreditsError:
            return
        self.house.charge.settle(hold, Credits(cost))
        self.spent += cost

    @rule(number=numbers, cents=st.none() | parts, is_silent=st.booleans())
    def refund(self, number: int, cents: int | None, *, is_silent: bool) -> None:
        self.house.refund_gateway.is_silent = is_silent
        amount = None if cents is None else Money(cents, "USD")
        try:
            self.house.refunds.refund(self.named(number), amount, reason="test")
        except (InvalidRequestError, PaymentGatewayError):
            return
        finally:
            self.house.refund_gateway.is_silent = False

    @rule(number=numbers, cents=parts)
    def refund_that_never_arrives(self, number: int, cents: int) -> None:
        self.house.refund_gateway.is_deaf = True
        try:
            self.house.refunds.refund(self.named(number), Money(cents, "USD"), reason="test")
        except InvalidRequestError:
            return
        finally:
            self.house.refund_gateway.is_deaf = False

    @precondition(lambda self: self.house.provider.payments)
    @rule(number=numbers, cents=parts)
    def refund_on_the_dashboard(self, number: int, cents: int) -> None:
        payment_id = self.paid_as(self.named(number))
        made = self.house.refund_gateway.refunds.get(payment_id, [])
        gone = sum(row.amount.minor_units for row in made if row.state is not RefundState.FAILED)
        if payment_id and gone + cents <= CENTS:
            self.house.refund_gateway.make(payment_id, Money(cents, "USD"))

    @rule(number=numbers, state=ends, data=st.data())
    def the_provider_goes_on(self, number: int, state: RefundState, data: st.DataObject) -> None:
        payment_id = self.paid_as(self.named(number))
        made = self.house.refund_gateway.refunds.get(payment_id, [])
        under_way = [
            index
            for index, row in enumerate(made)
            if row.state not in (RefundState.PROCESSED, RefundState.FAILED)
        ]
        if under_way:
            self.house.refund_gateway.move(payment_id, data.draw(st.sampled_from(under_way)), state)

    @rule(number=numbers)
    def hear_of_refunds(self, number: int) -> None:
        self.house.follower.follow(self.named(number))

    @rule(number=numbers, cents=parts, states=st.lists(ends, min_size=1, max_size=3))
    def dispute(self, number: int, cents: int, states: list[RefundState]) -> None:
        reference = self.named(number)
        known = self.disputed.setdefault(reference, [])
        if not self.paid_as(reference) or len(known) > 6:
            return
        reports = [
            ReportedRefund(
                provider_id=f"{reference}-{len(known)}",
                amount=Money(cents, "USD"),
                state=state,
                kind=RefundKind.DISPUTE,
            )
            for state in states
            if state is not RefundState.NEEDS_ATTENTION
        ]
        known.extend(reports)
        for report in reports:
            self.house.payments.confirm(reference)
            self.house.follower.apply(reference, [report])
        order = self.order()
        if order is not None and reports and reports[0].state is not RefundState.FAILED:
            assert order.state is not TopUpState.ON, "a dispute stops them"

    @rule(number=numbers, data=st.data())
    def hear_again_of_a_dispute(self, number: int, data: st.DataObject) -> None:
        reference = self.named(number)
        if known := self.disputed.get(reference):
            self.house.follower.apply(reference, [data.draw(st.sampled_from(known))])

    @initialize(wish=wishes)
    def agree_to_top_ups(self, wish: TopUpWish) -> None:
        self.house.top_ups.turn_on(self.house.amina, WALLET, wish, agreed=True)

    @rule(wish=wishes)
    def turn_top_ups_on(self, wish: TopUpWish) -> None:
        self.agree_to_top_ups(wish)

    @rule()
    def turn_top_ups_off(self) -> None:
        self.house.top_ups.turn_off(self.house.amina, WALLET)

    @rule()
    def top_up(self) -> None:
        self.top_up_somehow(answer=CardCharge(status=PaymentStatus.SUCCEEDED), lost="nothing")

    @rule(answer=answers, lost=st.sampled_from(["nothing", "the request", "the answer"]))
    def top_up_somehow(self, answer: CardCharge, lost: str) -> None:
        order, now = self.order(), self.house.clock.now()
        with self.store.begin() as tx:
            wallet = tx.ledger.find_wallet(WALLET)
        self.house.card_gateway.answer = answer
        self.house.card_gateway.is_deaf = lost == "the request"
        self.house.card_gateway.is_silent = lost == "the answer"
        # Two workers, the second of which comes too late.
        begun = self.house.top_ups.run_due() + self.house.top_ups.run_due()
        assert begun in (0, 1)
        if not begun:
            return
        assert order is not None
        assert order.is_due(wallet, now)
        with self.store.begin() as tx:
            recent = tx.top_ups.recent(WALLET, since=now - MONTH)
            bought = [tx.purchases.find(row.reference) for row in recent]
        assert sum(row.begun_at > now - DAY for row in recent) <= order.per_day
        # The last one counts, even if it has ended by now.
        counted = sum(row.state is not PurchaseState.FAILED for row in bought[:-1]) + 1
        assert counted * CENTS <= order.monthly_cap.minor_units
        self.references.append(recent[-1].reference)

    @rule(number=numbers, status=st.sampled_from(list(PaymentStatus)))
    def the_bank_decides(self, number: int, status: PaymentStatus) -> None:
        reference = self.named(number)
        payment = self.house.provider.payments.get(reference)
        if payment is not None and payment.status is PaymentStatus.PENDING:
            self.house.provider.payments[reference] = replace(payment, status=status)

    @rule(number=numbers)
    def money_comes_late(self, number: int) -> None:
        reference = self.named(number)
        payment = self.house.provider.payments.get(reference)
        if payment is not None and payment.status is PaymentStatus.FAILED:
            self.house.provider.payments[reference] = replace(
                payment, status=PaymentStatus.SUCCEEDED
            )
            self.house.payments.confirm(reference)

    @rule(number=numbers)
    def hear_of_a_payment(self, number: int) -> None:
        self.house.payments.confirm(self.named(number))

    @rule()
    def clear_the_debt(self) -> None:
        self.forgiven += self.house.debts.clear(WALLET, reason="test").microcredits

    @rule(minutes=st.sampled_from([1, 11, 20, 24 * 60, 31 * 24 * 60]))
    def let_the_worker_look(self, minutes: int) -> None:
        self.house.clock.advance(timedelta(minutes=minutes))
        self.house.poller.confirm_pending()
        self.house.follower.chase()

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        granted = reversed_ = 0
        with self.store.begin() as tx:
            wallet = tx.ledger.find_wallet(WALLET)
            for reference in self.references:
                purchase = tx.purchases.find(reference)
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
    def one_top_up_is_in_flight_at_most(self) -> None:
        order = self.order()
        with self.store.begin() as tx:
            top_ups = [tx.purchases.find(name) for name in self.references[4:]]
        waiting = [row.reference for row in top_ups if row.state is PurchaseState.PENDING]
        assert waiting == ([order.pending] if order and order.pending else [])
        charged = [request.reference for request in self.house.card_gateway.charged]
        assert len(charged) == len(set(charged)), "no attempt is sent twice"

    @invariant()
    def the_audit_is_clean(self) -> None:
        report = AuditBooks(transactions=self.store).audit()
        assert report.clean, report.breaches


TestOnMemory = run_of(Payments, OnMemory, examples=60, steps=40)
TestOnSqlite = run_of(Payments, OnSqlite, examples=8, steps=30)
TestOnPostgres = run_of(Payments, OnPostgres, examples=5, steps=30)
