"""The committer's own connection: what it locks, and what it guards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, committer_for, migrate
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore import ChargeUsage, Credits, GroupCommit, SystemClock
from creditcore.domain.books import Footprint
from creditcore.domain.errors import RefusedByStoreError, StoreBusyError, StoreError
from creditcore.domain.holds import Call
from creditcore.testing.contracts import a_key, a_wallet, admit
from tests.integration.books import reserve
from tests.stack import wait_until
from tests.stores import WAIT_S, fresh_postgres_database, somebody_waits_for_a_lock

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
HOT_TABLES = {"usage_logs", "wallets", "virtual_keys", "key_counters", "transfers"}


@pytest.fixture
def committer(url: str) -> Iterator[PostgresCommitter]:
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
        yield committer


def test_it_waits_for_a_wallet_and_then_sees_what_became_of_it(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)

    def posted() -> Credits:
        with committer.begin() as tx:
            return tx.ledger.lock(Footprint(wallet_ids={"wallet-1"})).wallets["wallet-1"].posted

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
            books = tx.ledger.lock(Footprint(key_hashes={b"h" * 32}, wallet_ids={"wallet-1"}))
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
        GroupCommit(transactions=committer, clock=clock) as commits,
        ThreadPoolExecutor(1) as threads,
    ):
        charge = ChargeUsage(commits=commits, transactions=store, clock=clock)
        with another.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1", "wallet-2"}))
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


def test_a_call_that_will_not_be_made_takes_its_name(
    store: PonyTransactions, committer: PostgresCommitter
) -> None:
    a_wallet(store, posted=100)
    call = Call(model="small", endpoint="/v1/chat/completions", key_id="key-1")
    footprint = Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"})

    with committer.begin() as tx:
        books = tx.ledger.lock(footprint)
        books.void("call-1", "wallet-1", call=call, at=NOON)
        tx.ledger.write(books)
        tx.commit()

    with store.begin() as tx:
        read = tx.ledger.lock(footprint)
    assert read.holds == books.holds
    assert read.wallets["wallet-1"].held == Credits(0)


def test_no_plan_reads_a_whole_table(committer: PostgresCommitter) -> None:
    # The tables are empty, and a planner left alone would read them from end to end. These
    # plans are kept when they have grown.
    nothing = "'[]', '{}', '[]', '[]', '{}', '[]'"
    with committer.begin() as tx, tx.connection.cursor() as cursor:
        plans = []
        for statement in (
            "lock_books ('{}', '{wallet-1}')",
            "read_books ('{}', '{wallet-1}', '{call-1}')",
            f"write_books ({nothing}, '{{}}', '[]')",
            f"write_books_with_counters ({nothing}, '{{}}', '[]', '{{}}', '[]')",
            "lock_wallets ('{wallet-1}')",
            "prove_books ('{wallet-1}', '[]', '{call-1}')",
        ):
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {statement}")
            [(document,)] = cursor.fetchall()
            # Pony, once it is imported, tells the driver not to parse JSON.
            plan = json.loads(document) if isinstance(document, str) else document
            plans.append(plan[0]["Plan"])

    scans = [node for plan in plans for node in nodes(plan) if "Scan" in node["Node Type"]]
    read = [node for node in scans if node.get("Relation Name") in HOT_TABLES]
    by_index = [node for node in scans if "Index Cond" in node]
    assert {node["Relation Name"] for node in read} == HOT_TABLES - {"transfers"}
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


def test_it_serves_as_soon_as_the_schema_is_there() -> None:
    with fresh_postgres_database() as url, closing(committer_for(url)) as committer:
        with pytest.raises(StoreError), committer.begin():
            pass

        migrate(url)

        with committer.begin() as tx:
            assert tx.ledger.lock(Footprint(wallet_ids={"wallet-1"})).wallets == {}
