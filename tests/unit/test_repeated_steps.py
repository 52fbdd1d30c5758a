"""A step that finds its work done, or nothing to do, changes nothing and raises no alarm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from creditcore import Basis, Call, ChargeUsage, Credits, GroupCommit, Outcome
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions

CALL = Call(model="demo")


@pytest.fixture
def store() -> MemoryTransactions:
    store = MemoryTransactions()
    a_wallet(store, posted=100)
    return store


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def commits(store: MemoryTransactions, clock: FixedClock) -> Iterator[GroupCommit]:
    with GroupCommit(transactions=store, clock=clock) as commits:
        yield commits


@pytest.fixture
def charge(commits: GroupCommit, store: MemoryTransactions, clock: FixedClock) -> ChargeUsage:
    return ChargeUsage(commits=commits, transactions=store, clock=clock)


def test_a_call_without_usage_is_told_once_however_late_it_is_settled_again(
    charge: ChargeUsage, store: MemoryTransactions, clock: FixedClock
) -> None:
    ceiling, counted = Credits(60), Outcome(basis=Basis.COUNTED_OUTPUT, status=200)
    hold = charge.authorize("wallet-1", ceiling=ceiling, reference="call-1", call=CALL).hold
    settled = charge.settle(hold, Credits(25), outcome=counted)
    told = dict(store.committed.alerts)

    # By then an alert of another day would have another name.
    clock.advance(timedelta(days=1))

    assert charge.settle(hold, Credits(25), outcome=counted) == settled
    assert len(told) == 1
    assert store.committed.alerts == told


def test_an_authorization_by_a_key_that_is_no_more_has_nothing_to_undo(
    charge: ChargeUsage,
    commits: GroupCommit,
    store: MemoryTransactions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    charge.void_later(b"nobody's", reference="call-1", call=CALL)
    commits.flush()

    assert caplog.get_records("call") == []
    assert store.committed.holds == {}
