"""Usage by the hour equals the ledger after any events in any order."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creditcore.domain.books import Books, Footprint
from creditcore.domain.holds import Call, Hold, HoldState
from creditcore.domain.ledger import TransferKind
from creditcore.domain.money import Credits
from creditcore.domain.periods import Span
from creditcore.domain.pricing import Ceiling
from creditcore.domain.usage_hours import (
    HOUR,
    NOTHING_MEASURED,
    NOTHING_USED,
    hour_of,
    tally_of,
    timing_of,
)
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import UsageOf
from creditcore.testing.contracts import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import ENDS, Made, make, took, used
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.roll_up_usage import RollUpUsage

CALL = st.fixed_dictionaries(
    {
        "wait": st.integers(0, 40),
        "took": st.integers(0, 150),
        "late": st.sampled_from([0, 0, 3, 90]),
        "key_id": st.sampled_from(["key-1", "key-2", None]),
        "model": st.sampled_from(["one", "two"]),
        "stream": st.booleans(),
        "cost": st.integers(0, 130),
        "outcome": st.sampled_from(ENDS),
    }
)
CUTS = st.lists(st.integers(-40, 60), min_size=2, max_size=5, unique=True).map(sorted)
WAIT_AND_ROLL_UP = st.integers(0, 90)
EVENTS = st.lists(st.one_of(CALL, CALL, WAIT_AND_ROLL_UP), min_size=1, max_size=12)


_DAYS = itertools.count()


class Course:
    """Calls of one wallet as time passes; the end of one may be committed late."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.wallet_id = f"wallet-{uuid.uuid4()}"
        # The store keeps what earlier courses left in it: time goes on.
        self.noon = NOON + next(_DAYS) * timedelta(days=3)
        self.clock = FixedClock(self.noon)
        self.roll_ups = RollUpUsage(transactions=transactions, clock=self.clock)
        self.calls: list[Hold] = []
        self._running: list[tuple[datetime, datetime, str, dict[str, Any]]] = []
        a_wallet(transactions, posted=100_000, wallet_id=self.wallet_id)

    def wait(self, minutes: int) -> None:
        """Let time pass, and calls end in it."""
        self.clock.advance(timedelta(minutes=minutes))
        over = [running for running in self._running if running[0] <= self.clock.now()]
        for running in over:
            self._running.remove(running)
            self._end(*running[1:])

    def _end(self, ended_at: datetime, reference: str, event: dict[str, Any]) -> None:
        cost, outcome = Credits(event["cost"]), event["outcome"]
        self._change(
            reference, lambda books: books.settle(reference, cost, at=ended_at, outcome=outcome)
        )

    def begin(self, event: dict[str, Any]) -> None:
        """Hold credits for a call."""
        reference, now = str(uuid.uuid4()), self.clock.now()
        call = Call(model=event["model"], key_id=event["key_id"], stream=event["stream"])
        self._change(reference, lambda books: books.admit(
            self.wallet_id, Ceiling.of(Credits(100)), reference=reference, call=call, now=now,
            lifetime=HOUR,
        ).hold)  # fmt: skip
        ends = now + timedelta(minutes=event["took"])
        known = ends + timedelta(minutes=event["late"])
        self._running.append((known, ends, reference, event))

    def _change(self, reference: str, change: Callable[[Books], Hold]) -> None:
        with self.transactions.begin() as tx:
            footprint = Footprint(wallet_ids={self.wallet_id}, hold_references={reference})
            books = tx.ledger.lock(footprint)
            hold = change(books)
            tx.ledger.write(books)
            tx.commit()
        if not hold.is_open:
            self.calls.append(hold)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=EVENTS, cuts=CUTS)
def test_hours_equal_the_ledger_whatever_is_rolled_up_when(
    any_store: Transactions, events: list[dict[str, Any] | int], cuts: list[int]
) -> None:
    """Roll-ups among calls, calls that turn up late, hours counted again: nothing is lost."""
    course = Course(any_store)
    for event in events:
        if isinstance(event, int):
            course.wait(event)
            course.roll_ups.roll_up()
        else:
            course.wait(event["wait"])
            course.begin(event)
    course.wait(240)
    course.roll_ups.mend()

    first = hour_of(course.noon)
    hours = [Span(first + n * HOUR, first + (n + 1) * HOUR) for n in range(26)]
    whose = UsageOf(course.wallet_id)
    # Longer stretches are read from rows of longer ones.
    longer = [Span(first + one * HOUR, first + other * HOUR) for one, other in pairwise(cuts)]
    for spans in (hours, longer):
        ended = [
            [call for call in course.calls if span.since <= call.closed_at < span.until]
            for span in spans
        ]
        assert used(any_store, whose, spans) == [sum(map(tally_of, c), NOTHING_USED) for c in ended]
        assert took(any_store, whose, spans) == [
            sum(map(timing_of, some), NOTHING_MEASURED) for some in ended
        ]
    total = sum(tally.charge for tally in used(any_store, whose, hours))
    assert total == charged(any_store, course.calls)
    with any_store.begin() as tx:
        assert list(tx.audit.breaches("I11", limit=10)) == []


def charged(transactions: Transactions, calls: list[Hold]) -> int:
    """Return what the ledger moved for calls, in microcredits."""
    with transactions.begin() as tx:
        names = {f"charge:{call.reference}" for call in calls}
        books = tx.ledger.lock(Footprint(transfer_references=names))
    assert {transfer.kind for transfer in books.transfers.values()} <= {TransferKind.CHARGE}
    return sum(transfer.amount.microcredits for transfer in books.transfers.values())


def test_a_call_that_was_committed_late_is_counted_by_the_next_look_back(
    any_store: Transactions,
) -> None:
    a_wallet(any_store, posted=1000)
    clock = FixedClock(NOON + 3 * HOUR)
    roll_ups = RollUpUsage(transactions=any_store, clock=clock)
    make(any_store, Made(reference="in time"))
    assert roll_ups.roll_up() == 1
    make(any_store, Made(reference="late"))
    assert used(any_store)[0].calls == 1

    assert roll_ups.mend() == 1

    assert used(any_store)[0].calls == 2
    assert roll_ups.mend() == 0


@pytest.mark.parametrize("hours", [1, 30])
def test_a_rebuild_says_what_it_counted_and_may_be_repeated(
    any_store: Transactions, hours: int
) -> None:
    a_wallet(any_store, posted=1000)
    make(any_store, Made(reference="1"))
    make(any_store, Made(reference="2", closing=HoldState.RELEASED, cost=0))
    roll_ups = RollUpUsage(transactions=any_store, clock=FixedClock(NOON + 40 * HOUR))
    roll_ups.roll_up()
    before = used(any_store)
    span = Span(NOON, NOON + hours * HOUR)

    counted = dict(roll_ups.rebuild(span))

    assert counted[hour_of(NOON)] == 2
    assert sum(counted.values()) == 2
    assert used(any_store) == before
    assert dict(roll_ups.rebuild(span)) == counted
