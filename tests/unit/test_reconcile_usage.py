"""Our calls beside the model server's log: each kind of difference is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from creditcore import Basis, Hold, HoldState
from creditcore.domain.holds import Call, Outcome
from creditcore.domain.spend import Difference, SpendRow, compare, lacks
from creditcore.testing.contracts import MINUTE, NOON, a_wallet, admit, settle
from creditcore.testing.memory import MemoryTransactions
from creditcore.usecases.calls.reconcile_usage import MAX_FINDINGS, ReconcileUsage, SpendReport

COST = 10_000_000
REPORTED = Outcome(basis=Basis.PROVIDER_USAGE, provider_cost_picodollars=COST, status=200)
COUNTED = replace(REPORTED, basis=Basis.COUNTED_OUTPUT)
HOUR = timedelta(hours=1)


@dataclass
class Log:
    """A log that was written by hand, which notes what is asked of it."""

    entries: list[SpendRow] = field(default_factory=list)
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def rows(self, *, start: datetime, end: datetime) -> Iterator[SpendRow]:
        self.asked.append((start, end))
        yield from (row for row in self.entries if start <= row.started_at < end)


def a_row(call_id: str = "call-1", *, cost: int = COST, at: datetime = NOON) -> SpendRow:
    return SpendRow(
        call_id=call_id,
        picodollars=cost,
        model="demo",
        prompt_tokens=5,
        completion_tokens=7,
        started_at=at,
    )


def a_call(
    store: MemoryTransactions,
    call_id: str = "call-1",
    *,
    outcome: Outcome | None = REPORTED,
    at: datetime = NOON + MINUTE,
) -> Hold:
    """Store a call that ended; one without an outcome runs still."""
    hold = admit(store, 10, reference=call_id)
    if outcome is not None:
        hold = settle(store, hold, 3, outcome=outcome, at=at)
    with_call = replace(hold, call=Call(model="demo"))
    store.committed.holds[call_id] = with_call
    return with_call


@pytest.fixture
def store() -> MemoryTransactions:
    store = MemoryTransactions()
    a_wallet(store, posted=1_000_000)
    return store


def found(store: MemoryTransactions, *rows: SpendRow, hours: int = 1) -> SpendReport:
    reconcile = ReconcileUsage(transactions=store, log=Log(list(rows)), longest_call=10 * MINUTE)
    return reconcile.reconcile(NOON, NOON + hours * HOUR)


@pytest.mark.parametrize(
    ("row", "outcome", "kind"),
    [
        (a_row(), REPORTED, None),
        (a_row(cost=COST + 1), REPORTED, None),
        (a_row(cost=COST + COST // 1000), REPORTED, Difference.COST),
        (a_row(cost=0), REPORTED, None),
        (a_row(cost=COST * 9), COUNTED, None),
        (a_row(), Outcome(status=502, error="upstream_unavailable"), Difference.UNBILLED),
        (a_row(cost=0), Outcome(status=502, error="upstream_unavailable"), None),
        (a_row(), None, None),
    ],
    ids=[
        "agree",
        "rounded",
        "cost",
        "cached there",
        "counted by us",
        "failed here",
        "failed on both sides",
        "runs still",
    ],
)
def test_a_row_is_compared_with_its_call(
    store: MemoryTransactions, row: SpendRow, outcome: Outcome | None, kind: Difference | None
) -> None:
    a_call(store, outcome=outcome)

    report = found(store, row)

    assert [finding.kind for finding in report.findings] == ([] if kind is None else [kind])
    assert report.clean is (kind is None)


def test_a_hold_that_expired_though_its_call_ran_is_unbilled(store: MemoryTransactions) -> None:
    hold = replace(a_call(store), state=HoldState.EXPIRED, outcome=Outcome())

    finding = compare(a_row(), hold)

    assert finding is not None
    assert (finding.kind, finding.ours, finding.theirs) == (Difference.UNBILLED, 0, COST)


def test_what_only_one_side_knows_is_found(store: MemoryTransactions) -> None:
    a_call(store, "call-lost-there")
    a_call(store, "call-counted", outcome=COUNTED)

    report = found(store, a_row("call-invented"), a_row("chatcmpl-of-somebody"))

    assert report.counts == {Difference.UNKNOWN_HERE: 1, Difference.UNKNOWN_THERE: 1}
    assert {finding.call_id for finding in report.findings} == {"call-invented", "call-lost-there"}
    assert report.foreign == 1


def test_a_call_of_two_windows_is_in_both_logs(store: MemoryTransactions) -> None:
    begun = NOON + HOUR - timedelta(seconds=1)
    a_call(store, at=NOON + HOUR + 9 * MINUTE)

    report = found(store, a_row(at=begun), hours=2)

    assert report.clean
    assert report.compared == 1
    assert (report.ours, report.theirs) == (COST, COST)


def test_a_call_that_costs_nothing_need_not_be_there(store: MemoryTransactions) -> None:
    free = a_call(store, outcome=replace(REPORTED, provider_cost_picodollars=0))

    assert lacks(free) is None


def test_all_are_counted_and_some_are_named(store: MemoryTransactions) -> None:
    report = found(store, *(a_row(f"call-{n}") for n in range(MAX_FINDINGS + 5)))

    assert report.counts[Difference.UNKNOWN_HERE] == MAX_FINDINGS + 5
    assert len(report.findings) == MAX_FINDINGS


def test_windows_are_an_hour_and_progress_is_told(store: MemoryTransactions) -> None:
    log, told = Log(), []
    reconcile = ReconcileUsage(transactions=store, log=log, longest_call=10 * MINUTE)

    reconcile.reconcile(NOON, NOON + 2 * HOUR + MINUTE, progress=told.append)

    assert told == [NOON + HOUR, NOON + 2 * HOUR, NOON + 2 * HOUR + MINUTE]
    assert log.asked[0] == (NOON - 20 * MINUTE, NOON + HOUR + 10 * MINUTE)
