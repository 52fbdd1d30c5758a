"""Connections to PostgreSQL, the pool's and the committer's: what each of them survives."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore.domain.books import Footprint
from creditcore.domain.errors import StoreError, StoreUnavailableError
from creditcore.ports.transactions import BooksTransactions
from creditcore.testing.contracts import a_wallet, admit, at_once
from tests.integration.books import reserve
from tests.processes import forked
from tests.stores import SHORT_WAIT_S, WAIT_S, ask, kill, server_process, sqlite_store


def one_connection(kind: str, url: str, *, wait_s: float) -> PonyTransactions | PostgresCommitter:
    if kind == "pool":
        return open_store(url, pool_size=1, wait_s=wait_s)
    return PostgresCommitter(url, wait_s=wait_s)


@pytest.fixture(params=["pool", "committer"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def narrow(kind: str, url: str, store: PonyTransactions) -> Iterator[BooksTransactions]:
    """One connection to a database in which somebody has 100 credits."""
    a_wallet(store, posted=100)
    with closing(one_connection(kind, url, wait_s=WAIT_S)) as narrow:
        yield narrow


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_no_way_out_keeps_the_wallet_locked_or_the_connection(
    url: str, narrow: BooksTransactions, error: type[BaseException]
) -> None:
    with pytest.raises(error), narrow.begin() as tx:
        reserve(tx.ledger.lock(Footprint(wallet_ids={"wallet-1"})), 100)
        raise error

    assert ask(url, "SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE NOWAIT") == 1
    assert admit(narrow, 100).is_open


def test_what_follows_a_caught_error_is_not_committed(narrow: BooksTransactions) -> None:
    with narrow.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        reserve(books, 100)
        tx.ledger.write(books)
        with pytest.raises(StoreError) as refusal:
            tx.ledger._session.records("SELECT missing FROM wallets")
        with pytest.raises(StoreError) as again:
            tx.commit()

    assert again.value is refusal.value
    assert admit(narrow, 100, reference="call-2").is_open


def test_who_waits_for_the_only_connection_is_refused_in_time(kind: str, url: str) -> None:
    with closing(one_connection(kind, url, wait_s=SHORT_WAIT_S)) as impatient:
        refuse_while_lent(impatient)


def test_who_waits_for_the_only_connection_is_refused_in_time_on_sqlite(tmp_path: Path) -> None:
    with sqlite_store(tmp_path, wait_s=SHORT_WAIT_S) as store:
        refuse_while_lent(store)


def refuse_while_lent(transactions: BooksTransactions) -> None:
    def use() -> None:
        with transactions.begin():
            pass

    with ThreadPoolExecutor(1) as threads, transactions.begin():
        refusal = threads.submit(use).exception(WAIT_S)

    assert isinstance(refusal, StoreUnavailableError)
    use()


def test_the_others_wait_their_turn(narrow: BooksTransactions) -> None:
    holds = at_once(20, lambda number: admit(narrow, 5, reference=f"call-{number}"))

    assert not [hold for hold in holds if isinstance(hold, Exception)]


def test_a_connection_that_died_while_idle_is_replaced(url: str, narrow: BooksTransactions) -> None:
    first = server_process(narrow)

    kill(url, first)

    assert server_process(narrow) != first


def test_a_connection_that_dies_in_use_takes_its_transaction_along(
    url: str, narrow: BooksTransactions
) -> None:
    with pytest.raises(StoreUnavailableError), narrow.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        reserve(books, 100)
        tx.ledger.write(books)
        [row] = tx.ledger._session.rows("SELECT pg_backend_pid() AS pid")
        kill(url, row.pid)
        tx.ledger._session.rows("SELECT 1 AS one")

    assert admit(narrow, 100, reference="call-2").is_open


def test_a_commit_that_gets_no_answer_has_an_unknown_outcome(
    url: str, narrow: BooksTransactions
) -> None:
    with narrow.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        reserve(books, 100)
        tx.ledger.write(books)
        [row] = tx.ledger._session.rows("SELECT pg_backend_pid() AS pid")
        kill(url, row.pid)
        with pytest.raises(StoreUnavailableError):
            tx.commit()

    # The server never saw this one; the next finds a connection that works.
    assert admit(narrow, 100, reference="call-2").is_open


def test_the_server_itself_bounds_what_a_client_may_hold_up(narrow: BooksTransactions) -> None:
    with narrow.begin() as tx:
        limits = [
            tx.ledger._session.rows(f"SHOW {name}")[0][0]
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]

    assert limits == ["8s", "5s", "15s"]


def test_a_fork_opens_a_connection_of_its_own(narrow: BooksTransactions) -> None:
    mine = server_process(narrow)

    theirs = int(forked(lambda: server_process(narrow)))

    assert theirs != mine
    assert server_process(narrow) == mine
