"""Races for rows, connections and the one thread of a gevent process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from psycopg2 import extensions

from adapters.pony_store import PonyTransactions, install_wait_callback, open_store
from adapters.pony_store.postgres import PostgresEngine
from creditcore.domain.errors import (
    InsufficientCreditsError,
    ReferenceConflictError,
    RefusedByStoreError,
    StoreBusyError,
    StoreUnavailableError,
)
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Books, Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling
from creditcore.testing import contracts
from creditcore.testing.contracts import (
    MINUTE,
    NOON,
    a_key,
    a_purchase,
    a_wallet,
    admit,
    at_once,
    settle,
)
from tests.stack import wait_until
from tests.stores import WAIT_S, ask, kill, sqlite_store

KEY_HASH = b"h" * 32
ROOT = Path(__file__).parents[2]

SHORT_WAIT_S = 0.2
"""How long a borrower waits for the only connection, where it must not get it."""


class UnguardedEngine(PostgresEngine):
    """PostgreSQL without row locks: what the store would be if somebody forgot them."""

    row_lock: ClassVar[str] = ""


@pytest.fixture
def narrow_store(url: str) -> Iterator[PonyTransactions]:
    """A store with one connection."""
    with closing(open_store(url, pool_size=1, wait_s=SHORT_WAIT_S)) as store:
        yield store


def reserve(books: Books, reference: str, *, wallet_id: str = "wallet-1", amount: int = 10) -> None:
    books.admit(
        wallet_id,
        Ceiling.of(Credits(amount)),
        reference=reference,
        call=None,
        now=NOON,
        lifetime=MINUTE,
    )


def server_process(store: PonyTransactions) -> int:
    """Return the process id of the server's end of the connection that is lent next."""
    with store.begin() as tx:
        [row] = tx._session.rows("SELECT pg_backend_pid() AS pid")
        return int(row.pid)


def test_wallets_locked_in_opposite_order_do_not_deadlock(store: PonyTransactions) -> None:
    for name in "abc":
        a_wallet(store, posted=1000, wallet_id=name)

    def spend(index: int) -> None:
        names = ["a", "b", "c"] if index % 2 else ["c", "b", "a"]
        for number in range(20):
            with store.begin() as tx:
                books = tx.ledger.lock(wallet_ids=names)
                for name in names:
                    reserve(books, f"{name}-{index}-{number}", wallet_id=name, amount=1)
                tx.ledger.write(books)
                tx.commit()

    outcomes = at_once(4, spend)

    assert outcomes == [None] * 4
    with store.begin() as tx:
        assert tx.ledger.find_wallet("a").held == Credits(80)


def admit_by_key(store: PonyTransactions, amount: int, *, reference: str) -> Hold:
    """Hold credits of the wallet that a key brings along."""
    with store.begin() as tx:
        books = tx.ledger.lock(key_hashes={KEY_HASH}, hold_references={reference})
        wallet_id = books.key(KEY_HASH, now=NOON).wallet_id
        reserve(books, reference, wallet_id=wallet_id, amount=amount)
        tx.ledger.write(books)
        tx.commit()
    return books.holds[reference]


@pytest.mark.parametrize("call", [admit, admit_by_key])
def test_two_hundred_calls_at_once_and_credits_for_ten(
    store: PonyTransactions, call: Callable[..., Hold]
) -> None:
    wallet = a_wallet(store, posted=100)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=KEY_HASH))
        tx.commit()

    outcomes = at_once(200, lambda index: call(store, 10, reference=f"call-{index}"))

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Hold), kinds.count(InsufficientCreditsError)) == (10, 190)
    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").available == ZERO


def test_a_second_reader_waits_for_the_first_writer(url: str, store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with ThreadPoolExecutor(1) as threads:
        with store.begin() as tx:
            books = tx.ledger.lock(wallet_ids={"wallet-1"})
            second = threads.submit(admit, store, 10, reference="call-2")
            wait_until(lambda: ask(url, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
            reserve(books, "call-1")
            tx.ledger.write(books)
            tx.commit()
        second.result()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").held == Credits(20)
        assert tx.audit.breaches("I2", limit=1) == []


def test_without_the_row_lock_a_hold_is_lost(url: str) -> None:
    unguarded = PonyTransactions(UnguardedEngine(url), pool_size=2, wait_s=WAIT_S)
    with closing(unguarded) as store, ThreadPoolExecutor(1) as threads:
        a_wallet(store, posted=100)

        with store.begin() as tx:
            books = tx.ledger.lock(wallet_ids={"wallet-1"})
            threads.submit(admit, store, 10, reference="call-2").result()
            reserve(books, "call-1")
            tx.ledger.write(books)
            tx.commit()

        with store.begin() as tx:
            [breach] = tx.audit.breaches("I2", limit=10)
    assert breach.row == "wallets wallet-1"
    assert "10 stored, 20 expected" in breach.detail


def test_a_hold_that_was_closed_meanwhile_is_not_closed_again(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)
    hold = admit(store, 60)
    with store.begin() as tx:
        stale = tx.ledger.lock(wallet_ids={"wallet-1"}, hold_references={"call-1"})
    settle(store, hold, 25)

    with store.begin() as tx:
        stale.settle("call-1", Credits(60), at=NOON)
        with pytest.raises(StoreBusyError):
            tx.ledger.write(stale)
        with pytest.raises(StoreBusyError):
            tx.commit()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").posted == Credits(75)


def test_a_purchase_that_changed_since_it_was_found_is_not_confirmed(
    store: PonyTransactions,
) -> None:
    purchase = a_purchase(a_wallet(store))
    with store.begin() as tx:
        tx.purchases.add(purchase)
        tx.commit()

    def pay() -> None:
        with store.begin() as tx:
            tx._session.change("UPDATE transactions SET checkout_url = 'https://pay.example'")
            tx.commit()

    with ThreadPoolExecutor(1) as threads, store.begin() as tx:
        tx.purchases.find(purchase.reference)
        threads.submit(pay).result()
        with pytest.raises(StoreBusyError):
            tx.purchases.lock(purchase.reference)


def test_what_follows_a_caught_error_is_not_committed(store: PonyTransactions) -> None:
    wallet = a_wallet(store)

    with store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-2", owner_id="somebody"))
        with pytest.raises(ReferenceConflictError) as refusal:
            tx.ledger.add_wallet(Wallet(id="wallet-3", owner_id=wallet.owner_id))
        with pytest.raises(ReferenceConflictError) as again:
            tx.commit()

    assert again.value is refusal.value
    with store.begin() as tx:
        assert tx.ledger.lock(wallet_ids={"wallet-2"}).wallets == {}


def test_a_constraint_of_the_database_is_the_last_guard(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with pytest.raises(RefusedByStoreError, match="wallets_held"), store.begin() as tx:
        tx._session.change("UPDATE wallets SET held = 101")

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").held == ZERO


def test_an_inner_transaction_is_refused_and_the_outer_goes_on(store: PonyTransactions) -> None:
    with store.begin() as tx:
        with pytest.raises(RuntimeError), store.begin():
            pass
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        tx.commit()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").owner_id == "somebody"


def test_an_exhausted_pool_refuses_in_time(narrow_store: PonyTransactions) -> None:
    refuse_while_lent(narrow_store)


def test_an_exhausted_pool_refuses_in_time_on_sqlite(tmp_path: Path) -> None:
    with sqlite_store(tmp_path, wait_s=SHORT_WAIT_S) as store:
        refuse_while_lent(store)


def refuse_while_lent(store: PonyTransactions) -> None:
    with ThreadPoolExecutor(1) as threads, store.begin():
        refusal = threads.submit(store.ping).exception()

    assert isinstance(refusal, StoreUnavailableError)
    store.ping()


def test_a_second_process_with_the_sqlite_file_loses_the_race(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store, store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        program = (
            "import sys; from adapters.pony_store import open_store, sqlite;"
            "sqlite.BUSY_WAIT_MS = 0; open_store(sys.argv[1]).ping()"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'credits.db'}"],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        tx.commit()

    assert "StoreBusyError" in other.stderr.splitlines()[-1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_no_way_out_keeps_the_connection(
    narrow_store: PonyTransactions, error: type[BaseException]
) -> None:
    with pytest.raises(error), narrow_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        raise error

    with narrow_store.begin() as tx:
        assert tx.ledger.lock(wallet_ids={"wallet-1"}).wallets == {}


def test_a_connection_that_died_while_idle_is_replaced(
    url: str, narrow_store: PonyTransactions
) -> None:
    first = server_process(narrow_store)

    kill(url, first)

    assert server_process(narrow_store) != first


def test_a_connection_that_dies_in_use_takes_its_transaction_along(
    url: str, narrow_store: PonyTransactions
) -> None:
    with pytest.raises(StoreUnavailableError), narrow_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        [row] = tx._session.rows("SELECT pg_backend_pid() AS pid")
        kill(url, row.pid)
        tx.ledger.find_wallet("wallet-1")

    with narrow_store.begin() as tx:
        assert tx.ledger.lock(wallet_ids={"wallet-1"}).wallets == {}


def test_a_commit_that_gets_no_answer_has_an_unknown_outcome(
    url: str, narrow_store: PonyTransactions
) -> None:
    with narrow_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        [row] = tx._session.rows("SELECT pg_backend_pid() AS pid")
        kill(url, row.pid)
        with pytest.raises(StoreUnavailableError):
            tx.commit()

    narrow_store.ping()


def test_the_server_itself_bounds_what_a_client_may_hold_up(store: PonyTransactions) -> None:
    with store.begin() as tx:
        limits = [
            tx._session.rows(f"SHOW {name}")[0][0]
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]

    assert limits == ["8s", "5s", "15s"]


def test_an_audit_sees_one_instant(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with ThreadPoolExecutor(1) as threads, store.begin() as tx:
        before = tx.audit.counts()
        threads.submit(a_wallet, store, wallet_id="wallet-2").result()
        after = tx.audit.counts()

    assert after == before


def test_a_fork_starts_with_an_empty_pool(narrow_store: PonyTransactions) -> None:
    mine = server_process(narrow_store)
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(server_process(narrow_store)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = int(pipe.read())
    os.waitpid(child, 0)

    assert theirs != mine
    assert server_process(narrow_store) == mine


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()

import sys

import gevent
from gevent.event import Event

from adapters.pony_store import install_wait_callback, open_store
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import MINUTE, NOON

install_wait_callback()
store = open_store(sys.argv[1], pool_size=2)
locked, asked = Event(), Event()


def call(name, before, after):
    with store.begin() as tx:
        before()
        books = tx.ledger.lock(wallet_ids={"wallet-1"})
        after()
        books.admit("wallet-1", Ceiling.of(Credits(10)), reference=name, call=None,
                    now=NOON, lifetime=MINUTE)
        tx.ledger.write(books)
        print(name, flush=True)
        tx.commit()


def hold_the_row():
    print("locked", flush=True)
    locked.set()
    asked.wait()


def ask_for_the_row():
    locked.wait()
    print("asked", flush=True)
    asked.set()


gevent.joinall([
    gevent.spawn(call, "first", lambda: None, hold_the_row),
    gevent.spawn(call, "second", ask_for_the_row, lambda: None),
], raise_error=True)
"""
"""Two greenlets want one row. If the second stopped the thread, the first could not commit."""


def test_under_gevent_a_wait_for_a_row_lets_its_holder_go_on(
    url: str, store: PonyTransactions
) -> None:
    a_wallet(store, posted=100)

    run = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT, url],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert run.stderr == ""
    assert run.stdout.split() == ["locked", "asked", "first", "second"]
    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").held == Credits(20)


SILENT_SERVER = """
from gevent import monkey
monkey.patch_all()

import sys

from adapters.pony_store import open_store
from adapters.pony_store.postgres import install_wait_callback
from creditcore.domain.errors import StoreUnavailableError

install_wait_callback(silence_s=0.2)
try:
    open_store(sys.argv[1])
except StoreUnavailableError as error:
    print(error)
"""


def test_under_gevent_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        run = subprocess.run(
            [
                sys.executable,
                "-c",
                SILENT_SERVER,
                f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )

    assert (run.stderr, run.stdout) == ("", "The database does not answer.\n")


def test_a_process_that_gevent_has_not_patched_gets_no_wait_callback() -> None:
    with pytest.raises(RuntimeError, match="patch"):
        install_wait_callback()

    assert extensions.get_wait_callback() is None


def test_a_hold_that_was_closed_meanwhile_does_not_grow(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)
    hold = contracts.admit(store, 10)
    contracts.settle(store, hold, 5)

    with pytest.raises(StoreBusyError), store.begin() as tx:
        grown = replace(hold, amount=Credits(20))
        tx.ledger.write(Books(changed_holds={hold.reference: (hold, grown)}))
