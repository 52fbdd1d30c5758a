"""The committer's own connection: what it locks, what it guards, what it survives."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, committer_for, migrate
from adapters.pony_store.committer import PostgresCommitter
from creditcore import ChargeUsage, Credits, GroupCommit, SystemClock
from creditcore.domain.errors import (
    RefusedByStoreError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
)
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Books
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import MINUTE, NOON, a_key, a_wallet, admit, at_once
from tests.stack import wait_until
from tests.stores import (
    WAIT_S,
    ask,
    fresh_postgres_database,
    kill,
    somebody_waits_for_a_lock,
)

SHORT_WAIT_S = 0.2
"""How long somebody waits for a turn that must not come."""

HOT_TABLES = ("usage_logs", "wallets", "virtual_keys", "transfers")


@pytest.fixture
def committer(url: str) -> Iterator[PostgresCommitter]:
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
        yield committer


def reserve(books: Books, amount: int, *, reference: str, wallet_id: str = "wallet-1") -> Hold:
    return books.admit(
        wallet_id,
        Ceiling.of(Credits(amount)),
        reference=reference,
        call=None,
        now=NOON,
        lifetime=MINUTE,
    ).hold


def server_process(committer: PostgresCommitter) -> int:
    """Return the process id of the server's end of the connection."""
    with committer.begin() as tx:
        return int(tx.connection.info.backend_pid)


def test_it_waits_for_a_wallet_and_then_sees_what_became_of_it(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    def posted() -> Credits:
        with committer.begin() as tx:
            return tx.ledger.lock(wallet_ids={"wallet-1"}).wallets["wallet-1"].posted

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(1) as threads:
        other.cursor().execute("UPDATE wallets SET posted = 60 WHERE id = 'wallet-1'")
        waiting = threads.submit(posted)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        other.commit()
        assert waiting.result(60) == Credits(60)


def test_wallets_are_locked_in_the_order_of_their_ids(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, wallet_id="wallet-1")
    last = a_wallet(store, wallet_id="wallet-2")
    with store.begin() as tx:
        tx.keys.add(a_key(last))
        tx.commit()

    def lock_both() -> list[str]:
        with committer.begin() as tx:
            # The key's wallet is the last, and is found first.
            books = tx.ledger.lock(key_hashes={b"h" * 32}, wallet_ids={"wallet-1"})
            return sorted(books.wallets)

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(1) as threads:
        cursor = other.cursor()
        cursor.execute("SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE")
        waiting = threads.submit(lock_both)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        # It waits for the first and has not taken the second yet.
        cursor.execute("SELECT 1 FROM wallets WHERE id = 'wallet-2' FOR UPDATE NOWAIT")
        other.rollback()
        assert waiting.result(60) == ["wallet-1", "wallet-2"]


def test_a_call_that_another_process_admitted_meanwhile_is_found(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)
    clock = SystemClock()

    with (
        closing(committer_for(url)) as another,
        GroupCommit(committer, clock) as commits,
        ThreadPoolExecutor(1) as threads,
    ):
        charge = ChargeUsage(commits, store, clock)
        with another.begin() as tx:
            books = tx.ledger.lock(wallet_ids={"wallet-1"})
            first = reserve(books, 60, reference="call-1")
            tx.ledger.write(books)
            waiting = threads.submit(
                charge.authorize, "wallet-1", ceiling=Credits(60), reference="call-1"
            )
            wait_until(lambda: somebody_waits_for_a_lock(url))
            tx.commit()
        assert waiting.result(60).hold == first


def test_a_wallet_that_appeared_too_late_to_be_locked_is_not_spent_twice(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    def spend_late() -> None:
        with committer.begin() as tx:
            books = tx.ledger.lock(wallet_ids={"wallet-1", "wallet-2"})
            # Read, but not locked: somebody else can spend all of it.
            assert books.wallets["wallet-2"].available == Credits(100)
            with closing(committer_for(url)) as another:
                admit(another, 90, reference="call-2", wallet_id="wallet-2")
            reserve(books, 90, reference="call-1", wallet_id="wallet-2")
            tx.ledger.write(books)
            tx.commit()

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(1) as threads:
        other.cursor().execute("SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE")
        waiting = threads.submit(spend_late)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        a_wallet(store, posted=100, wallet_id="wallet-2")
        other.rollback()
        assert isinstance(waiting.exception(60), StoreBusyError)

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-2").held == Credits(90)


def test_no_plan_reads_a_whole_table(committer: PostgresCommitter) -> None:
    # The tables are empty, and a planner left alone would read them from end to end. These
    # plans are kept when they have grown.
    nothing = "'[]', '{}', '[]', '[]', '{}', '[]'"
    with committer.begin() as tx, tx.connection.cursor() as cursor:
        plans = []
        for statement in (
            "lock_books ('{}', '{wallet-1}')",
            "read_books ('{}', '{wallet-1}', '{call-1}')",
            f"write_books ({nothing})",
            "lock_wallets ('{wallet-1}')",
            f"prove_and_write_books ({nothing}, '{{wallet-1}}', '[]', '{{}}', '[]', '{{call-1}}')",
        ):
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {statement}")
            [(document,)] = cursor.fetchall()
            # Pony, once it is imported, tells the driver not to parse JSON.
            plan = json.loads(document) if isinstance(document, str) else document
            plans.append(plan[0]["Plan"])

    scans = [node for plan in plans for node in nodes(plan) if "Scan" in node["Node Type"]]
    read = [node for node in scans if node.get("Relation Name") in HOT_TABLES]
    by_index = [node for node in scans if "Index Cond" in node]
    assert {node["Relation Name"] for node in read} == {"usage_logs", "wallets", "virtual_keys"}
    assert [node for node in read if node["Node Type"] == "Seq Scan"] == []
    assert len(by_index) == len(read)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every step of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("unfit", ["a\x00b", "half a \ud83d"])
def test_what_the_database_cannot_hold_is_refused(
    store: PonyTransactions, committer: PostgresCommitter, unfit: str
) -> None:
    a_wallet(store, posted=100)

    with pytest.raises(RefusedByStoreError):
        admit(committer, 60, reference=unfit)

    assert admit(committer, 60).is_open


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_no_way_out_keeps_the_wallet_locked(
    url: str,
    store: PonyTransactions,
    committer: PostgresCommitter,
    error: type[BaseException],
) -> None:
    a_wallet(store, posted=100)

    with pytest.raises(error), committer.begin() as tx:
        tx.ledger.lock(wallet_ids={"wallet-1"})
        raise error

    assert ask(url, "SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE NOWAIT") == 1


def test_what_follows_a_caught_error_is_not_committed(
    store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    with committer.begin() as tx:
        with pytest.raises(StoreError):
            tx.ledger._session.records("SELECT missing FROM wallets")
        with pytest.raises(StoreError):
            tx.commit()

    assert admit(committer, 60).is_open


def test_one_transaction_at_a_time_and_the_others_wait_their_turn(
    url: str, store: PonyTransactions
) -> None:
    a_wallet(store, posted=100)
    with (
        closing(PostgresCommitter(url, wait_s=SHORT_WAIT_S)) as impatient,
        ThreadPoolExecutor(1) as threads,
        impatient.begin(),
        pytest.raises(StoreUnavailableError),
    ):
        threads.submit(server_process, impatient).result(60)

    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
        holds = at_once(20, lambda number: admit(committer, 5, reference=f"call-{number}"))
    assert not [hold for hold in holds if isinstance(hold, Exception)]


def test_a_connection_that_died_while_idle_is_replaced(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)
    kill(url, server_process(committer))

    assert admit(committer, 60).is_open


def test_a_connection_that_dies_in_use_takes_its_transaction_along(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    with pytest.raises(StoreUnavailableError), committer.begin() as tx:
        tx.ledger.lock(wallet_ids={"wallet-1"})
        kill(url, tx.connection.info.backend_pid)
        tx.ledger._session.records("SELECT 1")

    assert admit(committer, 60).is_open


def test_a_commit_that_gets_no_answer_has_an_unknown_outcome(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    with committer.begin() as tx:
        tx.ledger.lock(wallet_ids={"wallet-1"})
        kill(url, tx.connection.info.backend_pid)
        with pytest.raises(StoreUnavailableError):
            tx.commit()

    assert admit(committer, 60).is_open


def test_the_server_itself_bounds_what_it_may_hold_up(committer: PostgresCommitter) -> None:
    with committer.begin() as tx:
        limits = [
            tx.ledger._session.rows(f"SHOW {name}")[0][0]
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]

    assert limits == ["8s", "5s", "15s"]


def test_a_fork_opens_a_connection_of_its_own(committer: PostgresCommitter) -> None:
    mine = server_process(committer)
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(server_process(committer)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = int(pipe.read())
    os.waitpid(child, 0)

    assert theirs != mine
    assert server_process(committer) == mine


def test_it_serves_as_soon_as_the_schema_is_there() -> None:
    with fresh_postgres_database() as url, closing(committer_for(url)) as committer:
        with pytest.raises(StoreError), committer.begin():
            pass

        migrate(url)

        with committer.begin() as tx:
            assert tx.ledger.lock(wallet_ids={"wallet-1"}).wallets == {}
