"""The database breaks off in the middle of a money step, is full, or takes no writes.

Each step is asked for again under its own reference until it is acknowledged, as callers do. In
the end every call is charged once and exactly.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore import AuditBooks, ChargeUsage, Credits, GroupCommit, Hold
from creditcore.domain.decisions import Admission
from creditcore.domain.errors import StoreError
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock
from tests.faults.cutter import Cut, cutter
from tests.faults.length import TIMES
from tests.faults.test_database_refusals import until_acknowledged
from tests.stores import WAIT_S, ask, migrated_postgres_database, migrated_sqlite_file

CALLS = 5 * TIMES
"""Each is two steps, a hold and a settlement."""

POSTED = 10**9

KILL = (
    "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Calls:
    """A wallet, and the calls that are made on it."""

    def __init__(self, store: PonyTransactions, committing: Transactions) -> None:
        self.store, self.clock, self._numbers = store, FixedClock(), count(1)
        self._committing = committing
        a_wallet(store, posted=POSTED)
        self.made = 0

    @contextmanager
    def charging(self) -> Iterator[ChargeUsage]:
        with GroupCommit(transactions=self._committing, clock=self.clock) as commits:
            yield ChargeUsage(commits=commits, transactions=self.store, clock=self.clock)

    def make(self, charge: ChargeUsage, before_each_step: Callable[[], object]) -> None:
        """Make one call, with something that happens before each of its steps."""
        reference = f"call-{next(self._numbers)}"
        before_each_step()
        hold = until_acknowledged(partial(self._hold, charge, reference)).hold
        before_each_step()
        until_acknowledged(partial(self._settle, charge, hold))

    def make_until_refused(self, charge: ChargeUsage) -> str:
        """Make calls until a step is refused; return the name of the call that it was of."""
        while True:
            reference = f"call-{next(self._numbers)}"
            try:
                self._settle(charge, self._hold(charge, reference).hold)
            except StoreError:
                return reference

    def finish(self, charge: ChargeUsage, reference: str) -> None:
        """Ask for both steps of a call again, wherever it stopped."""
        self._settle(charge, self._hold(charge, reference).hold)

    def _hold(self, charge: ChargeUsage, reference: str) -> Admission:
        return charge.authorize("wallet-1", ceiling=Credits(100), reference=reference)

    def _settle(self, charge: ChargeUsage, hold: Hold) -> None:
        assert charge.settle(hold, Credits(30)).charged == Credits(30)
        self.made += 1

    def expect_exact(self) -> None:
        with self.store.begin() as tx:
            wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.held) == (Credits(POSTED - 30 * self.made), Credits(0))
        assert AuditBooks(transactions=self.store).audit().clean


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_postgres_database() as url:
        yield url


@pytest.mark.parametrize("cut", list(Cut))
def test_a_connection_cut_at_the_commit_charges_once(
    url: str, cut: Cut, record_property: Callable[[str, object], None]
) -> None:
    with (
        cutter(url) as way,
        closing(open_store(url, wait_s=WAIT_S)) as store,
        closing(PostgresCommitter(way.url, wait_s=WAIT_S)) as committer,
    ):
        calls = Calls(store, committer)
        with calls.charging() as charge:
            for _ in range(CALLS):
                calls.make(charge, partial(way.arm, cut))

        assert way.cuts == 2 * CALLS
        calls.expect_exact()
    record_property("tries", way.cuts)


def test_a_server_process_killed_between_steps_costs_none(
    url: str, record_property: Callable[[str, object], None]
) -> None:
    with (
        closing(open_store(url, wait_s=WAIT_S)) as store,
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer,
    ):
        calls = Calls(store, committer)
        with calls.charging() as charge:
            for _ in range(CALLS):
                calls.make(charge, partial(ask, url, KILL))
        calls.expect_exact()
    record_property("tries", 2 * CALLS)


def test_a_database_that_takes_no_writes_refuses_and_then_goes_on(url: str) -> None:
    # As a standby does that clients reach in the middle of a failover.
    name = urlsplit(url).path.lstrip("/")

    def read_only(word: str) -> None:
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")
        # Connections that are open stay as they were.
        ask(url, KILL)

    with (
        closing(open_store(url, wait_s=WAIT_S)) as store,
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer,
    ):
        calls = Calls(store, committer)
        with calls.charging() as charge:
            calls.make(charge, lambda: None)
            read_only("on")
            with pytest.raises(StoreError):
                charge.authorize("wallet-1", ceiling=Credits(100), reference="call-refused")
            read_only("off")
            calls.make(charge, lambda: None)
        calls.expect_exact()


def test_a_full_disk_refuses_steps_and_loses_none(tmp_path: Path) -> None:
    with closing(open_store(migrated_sqlite_file(tmp_path / "books.db"), wait_s=WAIT_S)) as store:
        calls = Calls(store, store)
        with calls.charging() as charge:
            for _ in range(CALLS):
                with full_disk(tmp_path):
                    refused = calls.make_until_refused(charge)
                calls.finish(charge, refused)
        calls.expect_exact()


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the largest one there: writing more fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(each.stat().st_size for each in folder.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("hours", [-1, 1, -48, 48])
def test_a_clock_that_jumps_charges_the_same(tmp_path: Path, hours: int) -> None:
    with closing(open_store(migrated_sqlite_file(tmp_path / "books.db"), wait_s=WAIT_S)) as store:
        calls = Calls(store, store)
        with calls.charging() as charge:
            for _ in range(CALLS):
                calls.make(charge, partial(calls.clock.advance, timedelta(hours=hours)))
        calls.expect_exact()
