"""Hold, then settle or release: every step may be repeated, and counts once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import (
    AuditBooks,
    Basis,
    Call,
    ChargeUsage,
    Credits,
    GroupCommit,
    Hold,
    HoldState,
    InsufficientCreditsError,
    KeyRefusedError,
    Outcome,
    ReferenceConflictError,
)
from creditcore.domain.errors import WalletNotFoundError
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import a_key, a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions

LIFETIME = timedelta(minutes=10)
OPEN_LIMIT = Ceiling(10, 3, 1, 1000, fixed_output=False)


@pytest.fixture
def store() -> Iterator[MemoryTransactions]:
    store = MemoryTransactions()
    a_wallet(store, posted=100)
    yield store
    assert AuditBooks(transactions=store).audit().clean


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def commits(store: MemoryTransactions, clock: FixedClock) -> Iterator[GroupCommit]:
    with GroupCommit(transactions=store, clock=clock) as commits:
        yield commits


@pytest.fixture
def charge(commits: GroupCommit, store: MemoryTransactions, clock: FixedClock) -> ChargeUsage:
    return ChargeUsage(commits=commits, transactions=store, clock=clock, lifetime=LIFETIME)


def reserve(charge: ChargeUsage, amount: int = 60, reference: str = "call-1") -> Hold:
    return charge.authorize("wallet-1", ceiling=Credits(amount), reference=reference).hold


def balance(store: MemoryTransactions) -> tuple[int, int]:
    wallet = store.committed.wallets["wallet-1"]
    return wallet.posted.microcredits, wallet.held.microcredits


def store_key(store: MemoryTransactions, **changes: object) -> bytes:
    wallet = store.committed.wallets["wallet-1"]
    key = replace(a_key(wallet), **changes)  # type: ignore[arg-type]
    with store.begin() as tx:
        tx.keys.add(key)
        tx.commit()
    return key.key_hash


def test_a_hold_is_stored_before_its_caller_hears_of_it(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    hold = reserve(charge)

    assert store.committed.holds["call-1"] == hold
    assert balance(store) == (100, 60)


def test_authorizing_twice_holds_once(charge: ChargeUsage, store: MemoryTransactions) -> None:
    assert reserve(charge) == reserve(charge)
    assert balance(store) == (100, 60)


def test_a_reference_stands_for_one_call(charge: ChargeUsage) -> None:
    reserve(charge)

    with pytest.raises(ReferenceConflictError):
        charge.authorize(
            "wallet-1", ceiling=Credits(1), reference="call-1", call=Call(model="another")
        )


def test_nothing_is_held_beyond_the_balance(charge: ChargeUsage, store: MemoryTransactions) -> None:
    reserve(charge, 60)

    with pytest.raises(InsufficientCreditsError) as caught:
        reserve(charge, 41, "call-2")

    assert caught.value.available == Credits(40)
    assert balance(store) == (100, 60)
    assert set(store.committed.holds) == {"call-1"}


def test_an_unknown_wallet_holds_nothing(charge: ChargeUsage) -> None:
    with pytest.raises(WalletNotFoundError):
        charge.authorize("nobody", ceiling=Credits(1), reference="call-1")


def test_an_open_limit_gets_what_the_wallet_affords(charge: ChargeUsage) -> None:
    admission = charge.authorize("wallet-1", ceiling=OPEN_LIMIT, reference="call-1")

    assert admission.output_bound == 30
    assert admission.available == ZERO


def test_settling_charges_the_cost_and_frees_the_rest(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    outcome = Outcome(basis=Basis.PROVIDER_USAGE, status=200)

    settled = charge.settle(reserve(charge), Credits(25), outcome=outcome)

    assert (settled.state, settled.charged) == (HoldState.SETTLED, Credits(25))
    assert store.committed.holds["call-1"].outcome == outcome
    assert balance(store) == (75, 0)


def test_settling_twice_charges_the_first_cost(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    hold = reserve(charge)

    first = charge.settle(hold, Credits(25))
    second = charge.settle(hold, Credits(40))

    assert second == first
    assert balance(store) == (75, 0)


def test_releasing_charges_nothing_and_a_later_cost_is_the_operators(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    hold = reserve(charge)

    released = charge.release(hold)
    late = charge.settle(hold, Credits(25))

    assert (released.state, released.charged) == (HoldState.RELEASED, ZERO)
    assert (late.state, late.written_off) == (HoldState.RELEASED, Credits(25))
    assert balance(store) == (100, 0)


def test_a_settlement_stands_against_a_release_and_a_sweep(
    charge: ChargeUsage, store: MemoryTransactions, clock: FixedClock
) -> None:
    hold = reserve(charge)
    settled = charge.settle(hold, Credits(25))
    clock.advance(LIFETIME)

    assert charge.release(hold) == settled
    assert charge.expire() == 0
    assert balance(store) == (75, 0)


def test_settling_later_is_the_same_without_waiting(
    charge: ChargeUsage, commits: GroupCommit, store: MemoryTransactions
) -> None:
    charge.settle_later(reserve(charge), Credits(25))
    charge.release_later(reserve(charge, 30, "call-2"))

    commits.flush()

    assert balance(store) == (75, 0)
    assert store.committed.holds["call-2"].state is HoldState.RELEASED


def test_cost_beyond_the_hold_never_reaches_the_wallet(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    charge.settle(reserve(charge, 60), Credits(1000))

    assert balance(store) == (40, 0)
    assert set(store.committed.alerts) == {"write_off:call-1"}
    assert store.committed.transfers["write_off:call-1"].amount == Credits(940)


def test_a_key_spends_from_its_wallet_and_is_named_on_the_call(
    charge: ChargeUsage, store: MemoryTransactions
) -> None:
    key_hash = store_key(store)

    admission = charge.authorize_key(
        key_hash,
        ceiling=Ceiling.of(Credits(5)),
        reference="call-1",
        call=Call(model="demo"),
    )

    assert admission.key
    assert admission.hold.call
    assert admission.hold.call.key_id == admission.key.id == "key-1"
    assert balance(store) == (100, 5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"revoked_at": FixedClock().now()}, "revoked"),
        ({"expires_at": FixedClock().now()}, "expired"),
        ({"key_hash": b"another key"}, "unknown"),
    ],
)
def test_a_key_that_opens_nothing_holds_nothing(
    charge: ChargeUsage, store: MemoryTransactions, changes: dict[str, object], reason: str
) -> None:
    store_key(store, **changes)
    key_hash = store.committed.keys["key-1"].key_hash if reason != "unknown" else b"h" * 32

    with pytest.raises(KeyRefusedError) as caught:
        charge.authorize_key(
            key_hash,
            ceiling=Ceiling.of(Credits(5)),
            reference="call-1",
            call=Call(model="demo"),
        )

    assert caught.value.reason == reason
    assert balance(store) == (100, 0)


def test_a_hold_left_behind_goes_back_to_its_wallet_with_an_alert(
    charge: ChargeUsage, store: MemoryTransactions, clock: FixedClock
) -> None:
    reserve(charge)
    clock.advance(LIFETIME)

    assert charge.expire() == 1
    assert charge.expire() == 0

    assert store.committed.holds["call-1"].state is HoldState.EXPIRED
    assert balance(store) == (100, 0)
    assert set(store.committed.alerts) == {"expired:call-1"}


def test_a_hold_that_may_still_be_at_work_is_left_alone(
    charge: ChargeUsage, store: MemoryTransactions, clock: FixedClock
) -> None:
    reserve(charge)
    clock.advance(LIFETIME - timedelta(microseconds=1))

    assert charge.expire() == 0
    assert balance(store) == (100, 60)


def test_a_sweep_gets_through_more_holds_than_one_batch(
    charge: ChargeUsage, clock: FixedClock
) -> None:
    for number in range(401):
        reserve(charge, 0, f"call-{number}")
    clock.advance(LIFETIME)

    assert charge.expire() == 401


@pytest.mark.parametrize(
    ("outcome", "keys"),
    [
        (Outcome(basis=Basis.COUNTED_OUTPUT, status=200), {"unusable_usage:demo:2026-01-01"}),
        (Outcome(basis=Basis.COUNTED_OUTPUT, status=200, error="credits_exhausted"), set()),
        (Outcome(basis=Basis.COUNTED_OUTPUT, status=499, error="client_left"), set()),
        (Outcome(basis=Basis.PROVIDER_USAGE, status=200), set()),
    ],
    ids=["complete", "ran out", "left", "reported"],
)
def test_an_answer_without_usable_usage_is_told_once_for_each_model(
    charge: ChargeUsage, store: MemoryTransactions, outcome: Outcome, keys: set[str]
) -> None:
    for number in range(2):
        hold = charge.authorize(
            "wallet-1",
            ceiling=Credits(10),
            reference=f"call-{number}",
            call=Call(model="demo"),
        ).hold
        charge.settle(hold, Credits(1), outcome=outcome)

    assert set(store.committed.alerts) == keys
