"""A database that is away: callers who wait are told, steps that no caller waits for are kept."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore import ChargeUsage, Credits, GroupCommit
from creditcore.domain.errors import OutcomeUnknownError, StoreUnavailableError
from creditcore.testing.memory import FixedClock, MemoryTransaction
from creditcore.usecases.books.group_commit import MAX_BATCH
from tests.stack import PATIENCE_S, wait_until
from tests.unit.group_commit.observed import UNAVAILABLE, Note, ObservedStore, hold_up, waiting


def test_a_caller_learns_that_the_database_is_gone_and_the_next_is_served(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    observed.fail_next(UNAVAILABLE)

    with pytest.raises(StoreUnavailableError):
        commits.run(Note("unlucky"))
    assert commits.run(Note("next")) == "done next"
    assert observed.stored == {"next"}


def test_what_no_caller_waits_for_is_kept_until_the_database_is_back(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    observed.fail_always(UNAVAILABLE)
    names = {f"settlement-{number}" for number in range(5)}
    for name in sorted(names):
        commits.run_later(Note(name))
    wait_until(lambda: observed.begun >= 3)
    assert observed.stored == set()

    observed.recover()
    commits.flush()

    assert observed.stored == names


def test_flush_waits_for_what_was_given_back_too(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    observed.fail_next(UNAVAILABLE, UNAVAILABLE)
    commits.run_later(Note("settlement"))

    commits.flush()

    assert observed.stored == {"settlement"}


def test_who_waits_is_told_that_the_database_is_gone_however_much_is_kept(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    observed.fail_always(UNAVAILABLE)
    names = {f"settlement-{number}" for number in range(2 * MAX_BATCH)}
    for name in names:
        commits.run_later(Note(name))
    wait_until(lambda: observed.begun)

    caller = callers.submit(commits.run, Note("caller"))

    assert isinstance(caller.exception(PATIENCE_S), StoreUnavailableError)
    observed.recover()
    commits.flush()
    assert observed.stored == names


def test_everyone_is_told_at_once_that_the_database_is_still_gone(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    hold_up(observed, commits, callers)
    others = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(150)]
    wait_until(lambda: waiting(commits) == 150)
    observed.fail_always(UNAVAILABLE)

    observed.open_gate.set()

    # The first attempt was for one of them, the second for as many as fit.
    told = [type(other.exception(PATIENCE_S)) for other in others]
    # Of the rest it is known that nothing happened: they were never tried.
    assert Counter(told) == {OutcomeUnknownError: MAX_BATCH, StoreUnavailableError: 22}
    assert observed.begun == 2
    observed.recover()
    commits.run(Note("next"))
    assert observed.stored == {"next"}
    assert commits._urgent == 0


def test_who_came_while_the_database_failed_once_is_served(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    observed.fail_next(UNAVAILABLE)
    first = hold_up(observed, commits, callers)
    other = callers.submit(commits.run, Note("other"))
    wait_until(lambda: waiting(commits) == 1)

    observed.open_gate.set()

    assert isinstance(first.exception(PATIENCE_S), OutcomeUnknownError)
    assert other.result(PATIENCE_S) == "done other"


def test_after_a_failure_callers_come_first_and_then_what_failed(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    attempts: list[set[str]] = []

    def fail_once(tx: MemoryTransaction) -> None:
        attempts.append(tx.ledger.tables.holds.keys() - observed.stored)
        if len(attempts) == 2:
            raise UNAVAILABLE

    observed.fail = fail_once
    hold_up(observed, commits, callers)
    failing = [f"failing-{number}" for number in range(MAX_BATCH)]
    later = [f"later-{number}" for number in range(MAX_BATCH)]
    for name in failing + later:
        commits.run_later(Note(name))
    callers.submit(commits.run, Note("caller"))
    wait_until(lambda: waiting(commits) == 2 * MAX_BATCH + 1)

    observed.open_gate.set()
    commits.flush()

    assert attempts[:2] == [{"first"}, set(failing)]
    assert attempts[2] == {"caller", *failing[:-1]}
    assert observed.stored == {"first", "caller", *failing, *later}


def test_a_commit_whose_answer_was_lost_charges_once_when_it_is_tried_again(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    charge = ChargeUsage(commits=commits, transactions=observed, clock=FixedClock())
    hold = charge.authorize("wallet-1", ceiling=Credits(60), reference="call-1").hold
    lost = [UNAVAILABLE, UNAVAILABLE]

    def commit_and_vanish(tx: MemoryTransaction) -> None:
        if lost:
            observed.store.committed = tx.ledger.tables.copy()
            raise lost.pop()

    observed.fail = commit_and_vanish
    charge.settle_later(hold, Credits(25))
    commits.flush()

    assert observed.store.committed.wallets["wallet-1"].posted == Credits(75)
    assert not lost
