"""Every movement is balanced, every refusal changes nothing, and every interleaving adds up."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from creditcore import (
    AuditBooks,
    Call,
    ChargeUsage,
    Credits,
    GrantCredits,
    GroupCommit,
    Hold,
    HoldState,
    InsufficientCreditsError,
    PlatformAccount,
    ReferenceConflictError,
    Transfer,
    TransferKind,
    Wallet,
)
from creditcore.domain.books import Books
from creditcore.domain.decisions import admit
from creditcore.domain.errors import HoldNotFoundError, WalletNotFoundError
from creditcore.domain.ledger import grant
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Ceiling
from creditcore.testing.memory import FixedClock, MemoryTransactions

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_wallet(posted: int = 100, held: int = 0) -> Wallet:
    return Wallet(id="wallet-1", owner_id="o", posted=Credits(posted), held=Credits(held))


def books_of(wallet: Wallet) -> Books:
    return Books(wallets={wallet.id: wallet})


def a_transfer(amount: int = 10, *, reference: str = "r-1", out: bool = False) -> Transfer:
    accounts: tuple[str, str] = (PlatformAccount.ADJUSTMENT, "wallet-1")
    source, target = reversed(accounts) if out else accounts
    return Transfer(
        wallet_id="wallet-1",
        from_account=source,
        to_account=target,
        amount=Credits(amount),
        kind=TransferKind.REVERSAL if out else TransferKind.GRANT,
        reference=reference,
        at=NOON,
    )


def reserve(books: Books, ceiling: Ceiling, reference: str = "call-1") -> Hold:
    return books.admit(
        "wallet-1",
        ceiling,
        reference=reference,
        call=Call(model="demo"),
        now=NOON,
        lifetime=MINUTE,
    ).hold


def per_token(base: int, each: int, bound: int, *, fixed: bool) -> Ceiling:
    return Ceiling(base, each, 1, bound, fixed_output=fixed)


@pytest.mark.parametrize(("posted", "held"), [(-1, 0), (0, 1), (10, 11), (10, -1)])
def test_no_wallet_exists_that_holds_more_than_it_has(posted: int, held: int) -> None:
    with pytest.raises(ValueError, match="between zero and posted"):
        a_wallet(posted, held)


@pytest.mark.parametrize("name", ["", *PlatformAccount])
def test_a_wallet_is_not_called_as_a_platform_account(name: str) -> None:
    # Its transfers could not be told from the platform's, and its calls never be settled.
    with pytest.raises(ValueError, match="cannot be called"):
        Wallet(id=name, owner_id="t")


def test_another_balance_is_all_that_changes_in_a_wallet() -> None:
    wallet = replace(a_wallet(40, held=40), owed=Credits(7))

    changed = wallet.with_balance(posted=Credits(30), held=Credits(30))

    assert (changed.posted, changed.held) == (Credits(30), Credits(30))
    kept = [field for field in fields(Wallet) if field.name not in {"posted", "held"}]
    assert all(getattr(wallet, field.name) != field.default for field in kept)
    assert all(getattr(changed, field.name) == getattr(wallet, field.name) for field in kept)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_transfer_moves_more_than_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="more than zero"):
        a_transfer(amount)


def test_a_transfer_has_two_accounts() -> None:
    with pytest.raises(ValueError, match="two different accounts"):
        Transfer(
            wallet_id="w",
            from_account="w",
            to_account="w",
            amount=Credits(1),
            kind=TransferKind.GRANT,
            reference="r",
            at=NOON,
        )


def test_the_last_microcredit_can_be_held_and_not_one_more() -> None:
    books = books_of(a_wallet(100, held=40))

    reserve(books, Ceiling.of(Credits(60)))

    assert books.wallet("wallet-1").available == ZERO
    with pytest.raises(InsufficientCreditsError):
        reserve(books, Ceiling.of(Credits(1)), "call-2")


def test_a_free_call_needs_no_credits() -> None:
    books = books_of(a_wallet(0))

    assert reserve(books, Ceiling.of(ZERO)).amount == ZERO


def test_an_open_limit_is_lowered_to_what_the_wallet_affords() -> None:
    wallet, admission = admit(
        a_wallet(100),
        per_token(10, 3, 1000, fixed=False),
        reference="call-1",
        call=Call(model="demo", output_bound=2000),
        now=NOON,
        lifetime=MINUTE,
    )

    assert admission.output_bound == 30
    assert admission.hold.amount == Credits(100)
    assert wallet.available == admission.available == ZERO
    assert admission.hold.call
    assert admission.hold.call.output_bound == 60


def test_a_fixed_limit_is_never_lowered_and_the_refusal_says_what_would_do() -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        reserve(books_of(a_wallet(100)), per_token(10, 3, 31, fixed=True))

    assert caught.value.needed == Credits(103)
    assert caught.value.available == Credits(100)
    assert caught.value.affordable_output_tokens == 30


def test_an_open_limit_below_one_token_is_a_refusal() -> None:
    with pytest.raises(InsufficientCreditsError):
        reserve(books_of(a_wallet(12)), per_token(10, 3, 1000, fixed=False))


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**3),
    st.integers(0, 10**3),
    st.booleans(),
)
def test_what_is_admitted_is_always_covered(
    posted: int, base: int, each: int, bound: int, fixed: bool
) -> None:
    ceiling = per_token(base, each, bound, fixed=fixed)
    try:
        wallet, admission = admit(
            a_wallet(posted), ceiling, reference="r", call=None, now=NOON, lifetime=MINUTE
        )
    except InsufficientCreditsError:
        assert ceiling.amount(bound if fixed else min(bound, 1)) > Credits(posted)
        return

    granted = admission.output_bound
    assert admission.hold.amount == ceiling.amount(granted) == wallet.held
    assert granted == bound if fixed else granted >= min(1, bound)


def test_a_repeated_admission_returns_the_first_hold_and_reserves_once() -> None:
    books = books_of(a_wallet(100))

    first = reserve(books, Ceiling.of(Credits(60)))
    again = reserve(books, Ceiling.of(Credits(60)))

    assert again is first
    assert books.wallet("wallet-1").held == Credits(60)


def test_a_refused_admission_changes_nothing() -> None:
    books = books_of(a_wallet(10))

    with pytest.raises(InsufficientCreditsError):
        reserve(books, Ceiling.of(Credits(11)))

    assert books == books_of(a_wallet(10))


def test_an_unknown_wallet_and_an_unknown_hold_are_named() -> None:
    with pytest.raises(WalletNotFoundError, match="wallet-1"):
        reserve(Books(), Ceiling.of(Credits(1)))
    with pytest.raises(HoldNotFoundError, match="call-9"):
        Books().settle("call-9", ZERO, at=NOON)


def test_a_hold_made_and_settled_in_one_transaction_is_written_once_and_closed() -> None:
    books = books_of(a_wallet(100))
    reserve(books, Ceiling.of(Credits(60)))

    books.settle("call-1", Credits(25), at=NOON)

    assert books.new_holds["call-1"].state is HoldState.SETTLED
    assert not books.changed_holds
    assert books.changed_wallets["wallet-1"] == a_wallet(75)


def test_a_reference_moves_credits_once() -> None:
    books = books_of(a_wallet(0))

    assert books.post([a_transfer(10)]) is True
    assert books.post([a_transfer(10)]) is False
    assert books.wallet("wallet-1").posted == Credits(10)


def test_a_reference_used_for_another_movement_is_a_conflict_that_changes_nothing() -> None:
    books = books_of(a_wallet(0))
    books.post([a_transfer(10)])

    with pytest.raises(ReferenceConflictError):
        books.post([a_transfer(5, reference="r-2"), a_transfer(11)])

    assert books.wallet("wallet-1").posted == Credits(10)
    assert len(books.new_transfers) == 1


def test_a_transfer_out_never_takes_what_is_held() -> None:
    books = books_of(a_wallet(100, held=95))

    with pytest.raises(InsufficientCreditsError):
        books.post([a_transfer(6, out=True)])

    assert books.post([a_transfer(5, out=True)]) is True
    assert books.wallet("wallet-1") == a_wallet(95, held=95)


def test_several_transfers_of_one_wallet_are_judged_together() -> None:
    books = books_of(a_wallet(10))

    with pytest.raises(InsufficientCreditsError):
        books.post([a_transfer(6, reference="a", out=True), a_transfer(6, reference="b", out=True)])

    assert books.wallet("wallet-1").posted == Credits(10)


def test_a_grant_goes_to_its_wallet() -> None:
    gift = grant(
        "wallet-1",
        Credits(5),
        source=PlatformAccount.BONUS,
        kind=TransferKind.SIGNUP,
        reference="signup:1",
        at=NOON,
    )

    assert (gift.from_account, gift.to_account) == (PlatformAccount.BONUS, "wallet-1")


class AnyInterleaving(RuleBasedStateMachine):
    """Calls, sweeps and grants in any order, on two wallets of one store."""

    holds: Bundle[Hold] = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryTransactions()
        self.clock = FixedClock()
        self.commits = GroupCommit(transactions=self.store, clock=self.clock)
        self.charge = ChargeUsage(
            commits=self.commits, transactions=self.store, clock=self.clock, lifetime=MINUTE
        )
        self.granted = {"a": 0, "b": 0}
        self.charged = {"a": 0, "b": 0}
        self.names = 0

    def teardown(self) -> None:
        self.commits.close()

    @initialize()
    def open_wallets(self) -> None:
        with self.store.begin() as tx:
            for name in self.granted:
                tx.ledger.add_wallet(Wallet(id=name, owner_id=f"owner-{name}"))
            tx.commit()

    @rule(wallet=st.sampled_from("ab"), amount=st.integers(1, 1000), again=st.booleans())
    def give(self, wallet: str, amount: int, *, again: bool) -> None:
        self.names += 1
        grants = GrantCredits(transactions=self.store, clock=self.clock)
        for _ in range(1 + again):
            grants.grant(wallet, Credits(amount), reason="test", reference=f"g{self.names}")
        self.granted[wallet] += amount

    @rule(target=holds, wallet=st.sampled_from("ab"), amount=st.integers(0, 1200))
    def begin_call(self, wallet: str, amount: int) -> Hold | MultipleResults[Hold]:
        self.names += 1
        available = self.store.committed.wallets[wallet].available
        try:
            admission = self.charge.authorize(
                wallet, ceiling=Credits(amount), reference=f"call-{self.names}"
            )
        except InsufficientCreditsError:
            assert amount > available.microcredits
            return multiple()
        assert amount <= available.microcredits
        return admission.hold

    @rule(hold=holds)
    def repeat_call(self, hold: Hold) -> None:
        again = self.charge.authorize(hold.wallet_id, ceiling=hold.amount, reference=hold.reference)
        assert again.hold.amount == hold.amount

    @rule(hold=holds, cost=st.integers(0, 1500), later=st.booleans())
    def end_call(self, hold: Hold, cost: int, *, later: bool) -> None:
        before = self.store.committed.holds[hold.reference]
        if later:
            self.charge.settle_later(hold, Credits(cost))
            self.commits.flush()
        else:
            self.charge.settle(hold, Credits(cost))
        if before.is_open:
            self.charged[hold.wallet_id] += min(cost, hold.amount.microcredits)

    @rule(hold=holds)
    def give_up_call(self, hold: Hold) -> None:
        self.charge.release(hold)

    @rule(seconds=st.integers(1, 90))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        self.charge.expire()
        now = self.clock.now()
        holds = self.store.committed.holds.values()
        assert not [hold for hold in holds if hold.is_open and hold.expires_at <= now]

    @precondition(lambda self: self.store.committed.wallets)
    @invariant()
    def the_books_are_clean(self) -> None:
        assert AuditBooks(transactions=self.store).audit().clean

    @precondition(lambda self: self.store.committed.wallets)
    @invariant()
    def a_wallet_has_what_it_was_given_less_what_it_was_charged(self) -> None:
        tables = self.store.committed
        for name, wallet in tables.wallets.items():
            assert wallet.posted.microcredits == self.granted[name] - self.charged[name]
            assert ZERO <= wallet.held <= wallet.posted
            assert wallet.held.microcredits == sum(
                hold.amount.microcredits
                for hold in tables.holds.values()
                if hold.is_open and hold.wallet_id == name
            )


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
