"""The one thread of a gevent process, and PostgreSQL, whose driver waits in C."""

from __future__ import annotations

import pytest
from psycopg2 import extensions

from adapters.pony_store import PonyTransactions, install_wait_callback
from creditcore.domain.money import Credits
from creditcore.testing.contracts import a_wallet
from tests.processes import run_program
from tests.stores import silent_server

UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()

import sys

import gevent
from gevent.event import Event

from adapters.pony_store import install_wait_callback, open_store
from creditcore.domain.books import Footprint
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import MINUTE, NOON

install_wait_callback()
store = open_store(sys.argv[1], pool_size=2)
locked, asked = Event(), Event()


def call(name, before, after):
    with store.begin() as tx:
        before()
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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

    run = run_program(UNDER_GEVENT, url)

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
    with silent_server() as silent:
        run = run_program(SILENT_SERVER, silent.url)

    assert (run.stderr, run.stdout) == ("", "The database does not answer.\n")


def test_a_process_that_gevent_has_not_patched_gets_no_wait_callback() -> None:
    with pytest.raises(RuntimeError, match="patch"):
        install_wait_callback()

    assert extensions.get_wait_callback() is None
