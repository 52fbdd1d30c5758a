"""Many callers share a transaction; each gets its own answer, after the commit."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from creditcore import ChargeUsage, Credits, GroupCommit, Hold, InsufficientCreditsError
from creditcore.domain.errors import (
    OutcomeUnknownError,
    OverloadedError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
)
from creditcore.domain.ledger import Books
from creditcore.ports.transactions import Transaction
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransaction, MemoryTransactions
from creditcore.usecases.group_commit import MAX_BATCH
from tests.stack import PATIENCE_S, wait_until

UNAVAILABLE = StoreUnavailableError("The database does not answer.")
BUSY = StoreBusyError("The database was busy.")


@dataclass
class ObservedStore:
    """A store whose commits are counted, may be held up, and may fail.

    Attributes:
        fail: Called before each commit with the transaction; may raise.
        open_gate: While it is not set, commits wait.
        sizes: How many steps each transaction that committed had.
    """

    store: MemoryTransactions = field(default_factory=MemoryTransactions)
    fail: Callable[[MemoryTransaction], None] = lambda _tx: None
    open_gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    begun: int = 0
    committed: int = 0

    def __post_init__(self) -> None:
        self.open_gate.set()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        self.begun += 1
        with self.store.begin() as tx:
            really_commit = tx.commit

            def commit() -> None:
                self.entered.set()
                assert self.open_gate.wait(PATIENCE_S)
                self.fail(tx)
                really_commit()
                self.committed += 1

            tx.commit = commit  # type: ignore[method-assign]
            yield tx


@dataclass(eq=False)
class Note:
    """A step that leaves a hold called like itself, so that one can see who came through."""

    name: str
    refuses: Exception | None = None
    key_hashes: Collection[bytes] = ()
    wallet_ids: Collection[str] = ("wallet-1",)
    hold_references: Collection[str] = ()
    known_holds: Collection[Hold] = ()

    @property
    def new_references(self) -> Collection[str]:
        return (self.name,)

    def decide(self, books: Books, *, now: datetime) -> str:
        if self.refuses:
            raise self.refuses
        if self.name not in books.holds:
            hold = Hold(
                reference=self.name,
                wallet_id="wallet-1",
                amount=Credits(0),
                created_at=now,
                expires_at=now,
            )
            books.holds[self.name] = books.new_holds[self.name] = hold
        return f"done {self.name}"


@pytest.fixture
def observed() -> ObservedStore:
    store = ObservedStore()
    a_wallet(store.store, posted=100)
    return store


@pytest.fixture
def commits(observed: ObservedStore) -> Iterator[GroupCommit]:
    with GroupCommit(observed, FixedClock()) as commits:
        yield commits
        observed.open_gate.set()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(200) as threads:
        yield threads


def waiting(commits: GroupCommit) -> int:
    return len(commits._waiting)


def hold_up(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> Future[str]:
    """Let one commit get under way and stop there, so that what follows has to wait."""
    observed.open_gate.clear()
    first = callers.submit(commits.run, Note("first"))
    assert observed.entered.wait(PATIENCE_S)
    return first


def stored(observed: ObservedStore) -> set[str]:
    return set(observed.store.committed.holds)


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


def test_nobody_is_answered_before_the_commit(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    first = hold_up(observed, commits, callers)

    assert not first.done()
    assert stored(observed) == set()

    observed.open_gate.set()
    assert first.result(PATIENCE_S) == "done first"
    assert stored(observed) == {"first"}


def test_one_refusal_is_nobody_elses(
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
def test_a_step_that_the_store_chokes_on_harms_nobody_else(
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
    assert stored(observed) == {"first", *(f"note-{number}" for number in range(5))}


def test_a_poisoned_step_that_nobody_waits_for_holds_nobody_up(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    healed = threading.Event()

    def choke(tx: MemoryTransaction) -> None:
        if "poison" in tx.ledger.tables.holds and not healed.is_set():
            raise StoreError("no such column")

    observed.fail = choke
    commits.run_later(Note("poison"))

    assert [commits.run(Note(f"note-{number}")) for number in range(3)]
    healed.set()
    wait_until(lambda: "poison" in stored(observed))


def test_a_lost_race_is_run_again(observed: ObservedStore, commits: GroupCommit) -> None:
    failures = [BUSY, BUSY]

    def race(_tx: MemoryTransaction) -> None:
        if failures:
            raise failures.pop()

    observed.fail = race

    assert commits.run(Note("racer")) == "done racer"
    assert observed.begun == 3


def test_a_race_that_is_always_lost_is_told_in_the_end(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    def race(_tx: MemoryTransaction) -> None:
        raise BUSY

    observed.fail = race

    with pytest.raises(StoreBusyError):
        commits.run(Note("racer"))


def test_a_caller_learns_that_the_database_is_gone_and_the_next_is_served(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    failures = [UNAVAILABLE]

    def vanish(_tx: MemoryTransaction) -> None:
        if failures:
            raise failures.pop()

    observed.fail = vanish

    with pytest.raises(StoreUnavailableError):
        commits.run(Note("unlucky"))
    assert commits.run(Note("next")) == "done next"
    assert stored(observed) == {"next"}


def test_what_nobody_waits_for_is_kept_until_the_database_is_back(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    back = threading.Event()
    attempts = []

    def vanish(_tx: MemoryTransaction) -> None:
        attempts.append(1)
        if not back.is_set():
            raise UNAVAILABLE

    observed.fail = vanish
    names = {f"settlement-{number}" for number in range(5)}
    for name in sorted(names):
        commits.run_later(Note(name))
    wait_until(lambda: len(attempts) >= 3)
    assert stored(observed) == set()

    back.set()
    commits.flush()

    assert stored(observed) == names


def test_who_waits_is_told_that_the_database_is_gone_however_much_is_kept(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    back = threading.Event()

    def vanish(_tx: MemoryTransaction) -> None:
        if not back.is_set():
            raise UNAVAILABLE

    observed.fail = vanish
    names = {f"settlement-{number}" for number in range(2 * MAX_BATCH)}
    for name in names:
        commits.run_later(Note(name))
    wait_until(lambda: observed.begun)

    caller = callers.submit(commits.run, Note("caller"))

    assert isinstance(caller.exception(PATIENCE_S), StoreUnavailableError)
    back.set()
    commits.flush()
    assert stored(observed) == names


def test_everyone_is_told_at_once_that_the_database_is_still_gone(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    back = threading.Event()

    def vanish(_tx: MemoryTransaction) -> None:
        if not back.is_set():
            raise UNAVAILABLE

    hold_up(observed, commits, callers)
    others = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(150)]
    wait_until(lambda: waiting(commits) == 150)
    observed.fail = vanish

    observed.open_gate.set()

    # The first attempt was for one of them, the second for as many as fit.
    told = [type(other.exception(PATIENCE_S)) for other in others]
    # Of the rest it is known that nothing happened: they were never tried.
    assert Counter(told) == {OutcomeUnknownError: MAX_BATCH, StoreUnavailableError: 22}
    assert observed.begun == 2
    back.set()
    commits.run(Note("next"))
    assert stored(observed) == {"next"}
    assert commits._urgent == 0


def test_who_came_while_the_database_failed_once_is_served(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> None:
    failures = [UNAVAILABLE]

    def vanish(_tx: MemoryTransaction) -> None:
        if failures:
            raise failures.pop()

    observed.fail = vanish
    first = hold_up(observed, commits, callers)
    other = callers.submit(commits.run, Note("other"))
    wait_until(lambda: waiting(commits) == 1)

    observed.open_gate.set()

    assert isinstance(first.exception(PATIENCE_S), OutcomeUnknownError)
    assert other.result(PATIENCE_S) == "done other"


def test_what_nobody_waits_for_is_not_dropped_in_silence(
    commits: GroupCommit, caplog: pytest.LogCaptureFixture
) -> None:
    commits.run_later(Note("no such hold", refuses=ValueError("no such hold")))
    commits.flush()

    [record] = caplog.records
    assert "no such hold" in record.getMessage()
    assert record.exc_info


def test_flush_waits_for_what_was_given_back_too(
    observed: ObservedStore, commits: GroupCommit
) -> None:
    failures = [UNAVAILABLE, UNAVAILABLE]

    def vanish(_tx: MemoryTransaction) -> None:
        if failures:
            raise failures.pop()

    observed.fail = vanish
    commits.run_later(Note("settlement"))

    commits.flush()

    assert stored(observed) == {"settlement"}


def test_too_many_waiting_callers_are_refused_and_settlements_never(
    observed: ObservedStore, callers: ThreadPoolExecutor
) -> None:
    with GroupCommit(observed, FixedClock(), max_waiting=3) as commits:
        hold_up(observed, commits, callers)
        served = [callers.submit(commits.run, Note(f"note-{number}")) for number in range(3)]
        wait_until(lambda: waiting(commits) == 3)

        with pytest.raises(OverloadedError):
            commits.run(Note("too much"))
        commits.run_later(Note("settlement"))

        observed.open_gate.set()
        assert all(caller.result(PATIENCE_S) for caller in served)
    assert "too much" not in stored(observed)
    assert "settlement" in stored(observed)


def test_close_finishes_what_waits_and_refuses_what_comes_later(
    observed: ObservedStore, callers: ThreadPoolExecutor
) -> None:
    commits = GroupCommit(observed, FixedClock())
    first = hold_up(observed, commits, callers)
    for number in range(200):
        commits.run_later(Note(f"settlement-{number}"))
    closing = callers.submit(commits.close)
    wait_until(commits._closing.is_set)
    with pytest.raises(StoreUnavailableError):
        commits.run(Note("late"))

    observed.open_gate.set()
    closing.result(PATIENCE_S)

    assert first.result(PATIENCE_S) == "done first"
    assert len(stored(observed)) == 201
    assert "late" not in stored(observed)


def test_close_does_not_wait_for_a_database_that_is_gone(
    observed: ObservedStore, caplog: pytest.LogCaptureFixture
) -> None:
    def vanish(_tx: MemoryTransaction) -> None:
        raise UNAVAILABLE

    observed.fail = vanish
    commits = GroupCommit(observed, FixedClock())
    commits.run_later(Note("settlement"))
    wait_until(lambda: observed.begun)

    commits.close()

    assert commits._thread is not None
    assert not commits._thread.is_alive()
    # Its hold stays open until it expires: somebody may want to know why.
    assert ["settlement" in record.getMessage() for record in caplog.records] == [True]


def test_a_commit_whose_answer_was_lost_charges_once_when_it_is_tried_again() -> None:
    observed = ObservedStore()
    a_wallet(observed.store, posted=100)
    clock = FixedClock()
    with GroupCommit(observed, clock) as commits:
        charge = ChargeUsage(commits, observed, clock)
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


def test_a_forked_child_starts_anew(observed: ObservedStore, commits: GroupCommit) -> None:
    commits.run(Note("parent"))
    parents_thread = commits._thread
    # What a fork leaves behind: the same object, another process, no thread.
    commits._pid = os.getpid() + 1
    commits._waiting.append(None)  # type: ignore[arg-type]

    assert commits.run(Note("child")) == "done child"

    assert commits._thread is not parents_thread
    assert stored(observed) == {"parent", "child"}


@pytest.mark.parametrize("work", [GroupCommit.flush, GroupCommit.close])
def test_a_forked_child_waits_for_nothing_of_its_parents(
    commits: GroupCommit, callers: ThreadPoolExecutor, work: Callable[[GroupCommit], None]
) -> None:
    commits.run(Note("parent"))
    # Forked in the middle of something: what was waiting there is answered in the parent.
    commits._changing.acquire()
    commits._waiting.append(None)  # type: ignore[arg-type]
    commits._pid = os.getpid() + 1

    callers.submit(work, commits).result(PATIENCE_S)


def test_a_thread_that_could_not_be_started_is_started_by_the_next_caller(
    commits: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", _cannot_start)
        with pytest.raises(RuntimeError):
            commits.run(Note("unlucky"))

    assert commits.run(Note("next")) == "done next"


def _cannot_start(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
