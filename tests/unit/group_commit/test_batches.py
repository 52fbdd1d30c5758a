"""Many callers share a transaction; each gets its own answer, after the commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore import Credits, GroupCommit, InsufficientCreditsError
from creditcore.domain.errors import OverloadedError, StoreBusyError, StoreError
from creditcore.testing.memory import FixedClock, MemoryTransaction
from creditcore.usecases.books.group_commit import MAX_BATCH
from tests.stack import PATIENCE_S, wait_until
from tests.unit.group_commit.observed import BUSY, Note, ObservedStore, hold_up, waiting


def test_a_step_is_answered_with_what_it_decided(commits: GroupCommit) -> None:
    assert commits.run(Note("one")) == "done one"


def test_steps_that_arrive_during_a_commit_share_the_next(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    first = hold_up(observed, commits, callers)
    others = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(50)]
    wait_until(lambda: waiting(commits) == 50)

    observed.open_gate.set()

    assert [other.result(PATIENCE_S) for other in [first, *others]] == [
        "done first",
        *(f"done note-{number}" for number in range(50)),
    ]
    assert observed.committed == 2


def test_a_transaction_has_a_bounded_number_of_steps(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    hold_up(observed, commits, callers)
    for number in range(MAX_BATCH + 1):
        commits.run_later(Note(f"note-{number}"))

    observed.open_gate.set()
    commits.flush()

    assert observed.committed == 3


def test_no_caller_is_answered_before_the_commit(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    first = hold_up(observed, commits, callers)

    assert [ticket.done.is_set() for ticket in commits._in_flight] == [False]
    assert observed.stored == set()

    observed.open_gate.set()
    assert first.result(PATIENCE_S) == "done first"
    assert observed.stored == {"first"}


def test_one_refusal_is_no_other_callers(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    hold_up(observed, commits, callers)
    no = InsufficientCreditsError(needed=Credits(2), available=Credits(1))
    refused = callers.submit(commits.run, Note("refused", refuses=no))
    served = callers.submit(commits.run, Note("served"))
    wait_until(lambda: waiting(commits) == 2)

    observed.open_gate.set()

    assert refused.exception(PATIENCE_S) is no
    assert served.result(PATIENCE_S) == "done served"
    assert observed.committed == 2


@pytest.mark.parametrize("poison", [ValueError("NUL in a name"), StoreError("no such column")])
def test_a_step_that_the_store_chokes_on_harms_no_other(
    observed: ObservedStore,
    commits: GroupCommit,
    callers: ThreadPoolExecutor,
    poison: Exception,
) -> None:
    def choke(tx: MemoryTransaction) -> None:
        if "poison" in tx.ledger.tables.holds:
            raise poison

    observed.fail = choke
    hold_up(observed, commits, callers)
    poisoned = callers.submit(commits.run, Note("poison"))
    others = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(5)]
    wait_until(lambda: waiting(commits) == 6)

    observed.open_gate.set()

    assert poisoned.exception(PATIENCE_S) is poison
    assert [other.exception(PATIENCE_S) for other in others] == [None] * 5
    assert observed.stored == {"first", *(f"note-{number}" for number in range(5))}


def test_a_poisoned_step_that_no_caller_waits_for_holds_no_other_up(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    def choke(tx: MemoryTransaction) -> None:
        if "poison" in tx.ledger.tables.holds:
            raise StoreError("no such column")

    observed.fail = choke
    commits.run_later(Note("poison"))

    assert [commits.run(Note(f"note-{number}")) for number in range(3)]
    observed.recover()
    wait_until(lambda: "poison" in observed.stored)


def test_what_no_caller_waits_for_is_not_dropped_in_silence(
    commits: GroupCommit, caplog: pytest.LogCaptureFixture
) -> None:
    commits.run_later(Note("no such hold", refuses=ValueError("no such hold")))
    commits.flush()

    [record] = caplog.records
    assert "no such hold" in record.getMessage()
    assert record.exc_info


def test_a_lost_race_is_run_again(observed: ObservedStore, commits: GroupCommit) -> None:
    observed.fail_next(BUSY, BUSY)

    assert commits.run(Note("racer")) == "done racer"
    assert observed.begun == 3


def test_a_race_that_is_always_lost_is_told_in_the_end(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    observed.fail_always(BUSY)

    with pytest.raises(StoreBusyError):
        commits.run(Note("racer"))


def test_too_many_waiting_callers_are_refused_and_settlements_never(
    observed: ObservedStore, callers: ThreadPoolExecutor
) -> None:
    with GroupCommit(transactions=observed, clock=FixedClock(), max_waiting=3) as commits:
        hold_up(observed, commits, callers)
        served = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(3)]
        wait_until(lambda: waiting(commits) == 3)

        refused = callers.submit(commits.run, Note("too much"))
        wait_until(lambda: refused.done() or waiting(commits) > 3)
        commits.run_later(Note("settlement"))

        observed.open_gate.set()
        assert isinstance(refused.exception(PATIENCE_S), OverloadedError)
        assert all(caller.result(PATIENCE_S) for caller in served)
    assert "too much" not in observed.stored
    assert "settlement" in observed.stored
