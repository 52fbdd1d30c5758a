"""State machines over the books, and how each is run on memory, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine

from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.memory import MemoryTransactions
from tests.faults.length import TIMES
from tests.stores import postgres_store_and_committer, sqlite_store


class StoreMachine(RuleBasedStateMachine):
    """Steps over an empty store, in any order.

    Attributes:
        open_store: Opens an empty store, and what money steps go through.
    """

    open_store: Callable[[], tuple[Transactions, BooksTransactions]]

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()

    def teardown(self) -> None:
        self.resources.close()


class OnMemory(StoreMachine):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        store = MemoryTransactions()
        return store, store


class OnSqlite(StoreMachine):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        folder = self.resources.enter_context(TemporaryDirectory())
        store = self.resources.enter_context(sqlite_store(Path(folder)))
        return store, store


class OnPostgres(StoreMachine):
    def open_store(self) -> tuple[Transactions, BooksTransactions]:
        both = self.resources.enter_context(postgres_store_and_committer())
        return both.store, both.committer


def run_of(
    machine: type[StoreMachine], on: type[StoreMachine], *, examples: int, steps: int
) -> type:
    """Return the test case of a machine on one kind of store."""
    both = type(f"{machine.__name__}{on.__name__}", (on, machine), {})
    case: type = both.TestCase
    case.settings = settings(
        max_examples=examples * TIMES,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return case
