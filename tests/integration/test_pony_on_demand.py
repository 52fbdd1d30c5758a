"""A store that is opened when it is needed: what it waits for, and what it does not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from adapters.pony_store import StoreOnDemand, migrate
from creditcore.domain.books import Footprint
from creditcore.domain.errors import StoreError, StoreUnavailableError
from creditcore.testing.contracts import at_once
from tests.processes import run_program
from tests.stack import wait_until
from tests.stores import (
    SHORT_WAIT_S,
    WAIT_S,
    SilentServer,
    server_process,
    silent_server,
    waiting_for_a_lock,
)

CALLERS = 20


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    with silent_server() as server:
        yield server


def process_that_serves(store: StoreOnDemand) -> int | None:
    """Return the server's process, or None while the store is not open."""
    try:
        return server_process(store)
    except StoreUnavailableError:
        return None


def is_open(connection: socket.socket) -> bool:
    """Whether the other side, which has had its say, has not closed yet."""
    connection.settimeout(0)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return True
    return False


def test_callers_do_not_stand_in_line_for_a_database_that_says_nothing(
    silent: SilentServer,
) -> None:
    store = StoreOnDemand(silent.url, wait_s=SHORT_WAIT_S)

    outcomes = at_once(CALLERS, lambda _: store.begin())

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * CALLERS
    with silent.accept() as attempt:
        # They were told while the one attempt goes on.
        assert is_open(attempt)
        assert not silent.has_callers()


def test_a_new_attempt_follows_one_that_failed(silent: SilentServer) -> None:
    store = StoreOnDemand(silent.url, wait_s=SHORT_WAIT_S)
    with pytest.raises(StoreUnavailableError):
        store.begin()

    silent.accept().close()

    # Until the first has noticed, there is no second.
    wait_until(lambda: process_that_serves(store) is None and silent.has_callers())
    silent.accept().close()


def test_the_attempt_that_no_caller_waited_for_opens_the_store(url: str) -> None:
    store = StoreOnDemand(url, wait_s=SHORT_WAIT_S)

    with closing(psycopg2.connect(url)) as other:
        other.cursor().execute("LOCK TABLE wallets")
        with pytest.raises(StoreUnavailableError):
            store.begin()
        attempt = wait_until(lambda: waiting_for_a_lock(url))

    assert wait_until(lambda: process_that_serves(store)) == attempt


def test_it_serves_as_soon_as_the_schema_is_there(empty_url: str) -> None:
    store = StoreOnDemand(empty_url, wait_s=WAIT_S)
    outcomes = at_once(CALLERS, lambda _: store.begin())
    assert all(isinstance(outcome, StoreError) for outcome in outcomes)

    migrate(empty_url)

    with store.begin() as tx:
        assert tx.ledger.lock(Footprint(wallet_ids={"wallet-1"})).wallets == {}


def test_what_it_opens_has_the_bounds_that_it_was_given(url: str) -> None:
    store = StoreOnDemand(url, pool_size=1, wait_s=SHORT_WAIT_S)
    wait_until(lambda: process_that_serves(store))

    def refusal() -> BaseException | None:
        with pytest.raises(StoreUnavailableError) as refused, store.begin():
            pass
        return refused.value.__cause__

    with ThreadPoolExecutor(1) as threads, store.begin():
        cause = threads.submit(refusal).result(WAIT_S)

    assert str(cause) == f"no connection became free in {SHORT_WAIT_S} s"


def test_a_database_that_is_not_supported_is_told_to_each_caller() -> None:
    store = StoreOnDemand("mysql://somewhere/credits")

    outcomes = at_once(CALLERS, lambda _: store.begin())

    assert [type(outcome) for outcome in outcomes] == [ValueError] * CALLERS


def test_a_forked_child_makes_an_attempt_of_its_own(silent: SilentServer) -> None:
    store = StoreOnDemand(silent.url, wait_s=SHORT_WAIT_S)
    with pytest.raises(StoreUnavailableError):
        store.begin()
    # What a fork leaves behind: the same object, another process, no thread.
    store._pid = os.getpid() + 1

    with pytest.raises(StoreUnavailableError):
        store.begin()

    with silent.accept(), silent.accept():
        assert not silent.has_callers()


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()

import sys

import gevent

from adapters.pony_store import StoreOnDemand, install_wait_callback
from creditcore.domain.errors import StoreUnavailableError

install_wait_callback()
store = StoreOnDemand(sys.argv[1], wait_s=0.2)


def call():
    try:
        store.begin()
    except StoreUnavailableError as error:
        print(error)


gevent.joinall([gevent.spawn(call) for _ in range(3)], raise_error=True)
"""


def test_greenlets_do_not_stand_in_line_either(silent: SilentServer) -> None:
    run = run_program(UNDER_GEVENT, silent.url)

    assert (run.stderr, run.stdout) == ("", "The database does not answer.\n" * 3)
    with silent.accept():
        assert not silent.has_callers()
