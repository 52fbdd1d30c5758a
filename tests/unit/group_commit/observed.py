"""A store that one can look at, hold up and make fail; steps that one can follow through it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from creditcore import Credits, GroupCommit, Hold
from creditcore.domain.books import Books, Footprint
from creditcore.domain.errors import StoreBusyError, StoreUnavailableError
from creditcore.ports.transactions import Transaction
from creditcore.testing.memory import MemoryTransaction, MemoryTransactions
from tests.stack import PATIENCE_S

UNAVAILABLE = StoreUnavailableError("The database does not answer.")
BUSY = StoreBusyError("The database was busy.")


@dataclass
class ObservedStore:
    """A store whose commits are counted, may be held up, and may fail.

    Attributes:
        fail: Called before each commit with the transaction; may raise.
        open_gate: While it is not set, commits wait.
        entered: Set once a commit is under way.
        begun: How many transactions began.
        committed: How many of them committed.
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
        """Open a transaction, as any store does."""
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

    @property
    def stored(self) -> set[str]:
        """The names of the steps that came through."""
        return set(self.store.committed.holds)

    def fail_next(self, *errors: Exception) -> None:
        """Make the next commits fail, each in its way."""
        remaining = list(errors)

        def fail(_tx: MemoryTransaction) -> None:
            if remaining:
                raise remaining.pop(0)

        self.fail = fail

    def fail_always(self, error: Exception) -> None:
        """Make every commit fail until ``recover``."""

        def fail(_tx: MemoryTransaction) -> None:
            raise error

        self.fail = fail

    def recover(self) -> None:
        """Let commits succeed again."""
        self.fail = lambda _tx: None


@dataclass(eq=False)
class Note:
    """A step that leaves a hold called like itself, so that one can see who came through."""

    name: str
    refuses: Exception | None = None
    known_holds: Collection[Hold] = ()

    @property
    def footprint(self) -> Footprint:
        """A wallet, and the hold to make."""
        return Footprint(wallet_ids=("wallet-1",), new_references=(self.name,))

    def decide(self, books: Books, *, now: datetime) -> str:
        """Make it, unless it is there."""
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


def waiting(commits: GroupCommit) -> int:
    """Return how many steps wait for the next transaction."""
    return len(commits._waiting)


def hold_up(
    observed: ObservedStore, commits: GroupCommit, callers: ThreadPoolExecutor
) -> Future[str]:
    """Let one commit get under way and stop there, so that what follows has to wait."""
    observed.open_gate.clear()
    first = callers.submit(commits.run, Note("first"))
    assert observed.entered.wait(PATIENCE_S)
    return first
