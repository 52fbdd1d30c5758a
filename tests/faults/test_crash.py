"""Nothing is lost and nothing is doubled when any process dies, at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from creditcore import Basis, Credits, HoldState
from creditcore.domain.endings import INTERRUPTED
from tests.faults.aftermath import calls_of, let_time_pass, open_holds, sweep, wait_until_closed
from tests.faults.length import TIMES
from tests.faults.wire import (
    Seen,
    call,
    call_id_in,
    chat_body,
    raw_connection,
    read_to_the_end,
    read_until,
    request_bytes,
)
from tests.faults.workers import paused, worker_serving, workers_of
from tests.stack import Account, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

FUNDED = Credits.of(1000)
STREAMS = 20
WAITING = 5
HI = chat_body("[[sim tokens=3 prompt=11]]")
HI_COSTS = Credits(11 * 200 + 3 * 800)
STREAM = chat_body("[[sim tokens=30 prompt=11 delay_ms=100]]", stream=True)
STREAM_COSTS = Credits(11 * 200 + 30 * 800)
# Neither ends by itself, however long the test takes to cut it.
UNFINISHED = chat_body("[[sim tokens=30 hang_after=1]]", stream=True)
UNANSWERED = chat_body("[[sim hang=1]]", stream=True)


@pytest.fixture(scope="module")
def sqlite_brittle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway of our own, which others need not survive."""
    with running_stack("", tmp_path_factory.mktemp("brittle-sqlite")) as stack:
        yield stack


@pytest.fixture(scope="module")
def postgres_brittle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same with four processes, on PostgreSQL."""
    data = tmp_path_factory.mktemp("brittle-postgres")
    with (
        migrated_postgres_database() as url,
        running_stack(url, data, workers=4) as stack,
    ):
        yield stack


@pytest.fixture(params=["sqlite", "postgres"])
def brittle(request: pytest.FixtureRequest) -> Stack:
    found: Stack = request.getfixturevalue(f"{request.param}_brittle")
    return found


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Account:
    name = "brittle" if "brittle" in request.fixturenames else "postgres_brittle"
    stack: Stack = request.getfixturevalue(name)
    return stack.an_account(credits_=str(FUNDED))


def alert_keys(stack: Stack) -> set[str]:
    with stack.store.begin() as tx:
        return {alert.key for alert in tx.alerts.recent(limit=1000)}


def expect_whole(stack: Stack, account: Account, *, charged: Credits) -> None:
    """Assert that a wallet lost exactly what was charged, and that the books agree."""
    wallet = stack.wallet_of(account.person_id)
    assert (wallet.posted, wallet.held) == (FUNDED - charged, Credits(0))
    report = stack.audit()
    assert report.clean, report


def wait_until_noted(stack: Stack, calls: int) -> None:
    """Wait until so many calls have evidence that survives their process."""
    journals = Path(stack.environ["DATA_DIR"]) / "journal"

    def noted() -> set[object]:
        lines = [
            line for path in journals.glob("*.jsonl") for line in path.read_text().splitlines()
        ]
        return {json.loads(line)["reference"] for line in lines}

    wait_until(lambda: len(noted()) >= calls)


def test_after_a_power_cut_what_was_delivered_is_charged_and_the_rest_is_given_back(
    brittle: Stack, account: Account
) -> None:
    before = brittle.upstream(summary=1)["total"]
    with ExitStack() as opened:
        for body in [UNFINISHED] * STREAMS + [UNANSWERED] * WAITING:
            sock = opened.enter_context(raw_connection(brittle.base_url))
            sock.sendall(request_bytes(body, key=account.api_key))
            if body is UNFINISHED:
                read_until(sock, b"token 0")
        # Those that wait are past their admission, and before their answer.
        wait_until(lambda: brittle.upstream(summary=1)["total"] - before == STREAMS + WAITING)
        wait_until_noted(brittle, STREAMS)

        brittle.kill()

    left = open_holds(brittle, account)
    assert len(left) == STREAMS + WAITING
    assert sum(hold.amount.microcredits for hold in left) == (
        brittle.wallet_of(account.person_id).held.microcredits
    )
    brittle.start()
    assert call(brittle.base_url, HI, key=account.api_key).status == 200
    # The next process of the host finds what the dead ones had noted.
    wait_until(lambda: len(open_holds(brittle, account)) == WAITING)
    unanswered = open_holds(brittle, account)
    let_time_pass(brittle, unanswered)
    sweep(brittle, account)
    holds = {hold.reference: hold for hold in brittle.calls_of(account)}
    waited = {hold.reference for hold in unanswered}
    for hold in left:
        found = holds[hold.reference]
        if hold.reference in waited:
            assert (found.state, found.charged) == (HoldState.EXPIRED, Credits(0))
        else:
            assert (found.state, found.outcome.basis) == (HoldState.SETTLED, Basis.COUNTED_OUTPUT)
            assert found.outcome.error == INTERRUPTED
            assert Credits(0) < found.charged <= found.amount
    assert {f"expired:{reference}" for reference in waited} <= alert_keys(brittle)
    charged = sum(hold.charged.microcredits for hold in holds.values())
    expect_whole(brittle, account, charged=Credits(charged))


def test_what_was_acknowledged_survives_a_power_cut(brittle: Stack, account: Account) -> None:
    answers = [call(brittle.base_url, HI, key=account.api_key) for _ in range(20)]
    acknowledged = brittle.settled_wallet_of(account.person_id)

    brittle.kill()
    brittle.start()

    assert {answer.status for answer in answers} == {200}
    assert brittle.wallet_of(account.person_id) == acknowledged
    assert {hold.reference for hold in brittle.calls_of(account)} == {
        answer.call_id for answer in answers
    }
    expect_whole(brittle, account, charged=Credits(20 * HI_COSTS.microcredits))


def test_a_stop_in_order_lets_streams_finish_and_settles_them(
    brittle: Stack, account: Account
) -> None:
    process = brittle.process
    assert process is not None
    with raw_connection(brittle.base_url) as sock:
        sock.sendall(request_bytes(STREAM, key=account.api_key, headers=("Connection: close",)))
        begun = read_until(sock, b"token 0")

        process.send_signal(signal.SIGTERM)
        whole = begun + read_to_the_end(sock)
    wait_until(lambda: process.poll() is not None)

    assert b"[DONE]" in whole
    [hold] = brittle.calls_of(account)
    assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, Basis.PROVIDER_USAGE)
    assert process.returncode == 0
    brittle.start()
    expect_whole(brittle, account, charged=STREAM_COSTS)


def test_when_one_worker_is_killed_the_streams_of_the_others_go_on(
    postgres_brittle: Stack, account: Account
) -> None:
    stack = postgres_brittle
    owners: dict[socket.socket, int | None] = {}
    begun: dict[socket.socket, bytes] = {}
    with ExitStack() as opened:

        def begin() -> int:
            sock = opened.enter_context(raw_connection(stack.base_url))
            sock.sendall(request_bytes(STREAM, key=account.api_key, headers=("Connection: close",)))
            begun[sock] = read_until(sock, b"token 0")
            owner = owners[sock] = worker_serving(stack, sock)
            assert owner is not None
            return owner

        first = begin()
        with paused({first}):
            begin()
        while len(owners) < STREAMS:
            begin()
        newest, victim = owners.popitem()
        assert victim is not None

        os.kill(victim, signal.SIGKILL)
        finished = {sock: b"[DONE]" in begun[sock] + read_to_the_end(sock) for sock in begun}

    others = [sock for sock, owner in owners.items() if owner != victim]
    assert others
    assert all(finished[sock] for sock in others)
    assert not finished[newest]
    wait_until(lambda: len(workers_of(stack) - {victim}) == 4)
    wait_until_closed(stack, account, {call_id_in(begun[sock]) for sock in others})
    let_time_pass(stack, open_holds(stack, account))
    sweep(stack, account)
    states = [hold.state for hold in stack.calls_of(account)]
    settled, expired = states.count(HoldState.SETTLED), states.count(HoldState.EXPIRED)
    assert settled + expired == len(begun)
    holds = stack.calls_of(account)
    # Those that were cut were too young to be noted, are charged by what they had, or by the
    # model server's log, which has all of it.
    whole = [
        hold
        for hold in holds
        if hold.outcome.basis is Basis.PROVIDER_USAGE and hold.outcome.error is None
    ]
    assert len(whole) >= len(others)
    assert {hold.charged for hold in whole} == {STREAM_COSTS}
    cut = [hold for hold in holds if hold not in whole]
    assert cut
    assert all(hold.charged <= STREAM_COSTS for hold in cut)
    charged = sum(hold.charged.microcredits for hold in holds)
    expect_whole(stack, account, charged=Credits(charged))


def test_a_cost_that_was_told_is_charged_though_the_process_dies_at_once(
    brittle: Stack, account: Account
) -> None:
    told: list[Seen] = []

    def keep_calling() -> None:
        # Each ends with the process that served it.
        with suppress(OSError, ValueError, HTTPException):
            while True:
                told.append(call(brittle.base_url, HI, key=account.api_key))

    with ThreadPoolExecutor(8) as threads:
        callers = [threads.submit(keep_calling) for _ in range(8)]
        wait_until(partial(has_length, told, 30))
        brittle.kill()
        for caller in callers:
            caller.result(60)
    whole = {seen.call_id for seen in told if seen.status == 200}

    brittle.start()
    wait_until_closed(brittle, account, whole)

    holds = {hold.reference: hold for hold in brittle.calls_of(account)}
    assert {holds[reference].charged for reference in whole} == {HI_COSTS}
    let_time_pass(brittle, open_holds(brittle, account))
    sweep(brittle, account)
    charged = sum(hold.charged.microcredits for hold in brittle.calls_of(account))
    expect_whole(brittle, account, charged=Credits(charged))


def test_a_worker_that_is_killed_is_replaced(brittle: Stack, account: Account) -> None:
    before = workers_of(brittle)

    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(new := workers_of(brittle) - before) == len(before) and new)

    wait_until(brittle._ready)
    assert call(brittle.base_url, HI, key=account.api_key).status == 200
    brittle.settled_wallet_of(account.person_id)
    expect_whole(brittle, account, charged=HI_COSTS)


def has_length(items: list[Seen], enough: int) -> bool:
    return len(items) >= enough


def terminate_backends(url: str) -> int:
    """End every connection of the gateway, as a restart of the database would."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = %s AND application_name = 'creditcore' AND pid <> pg_backend_pid()",
            (urlsplit(url).path.lstrip("/"),),
        )
        [count] = cursor.fetchone()
        return int(count)


def test_when_the_database_drops_every_connection_calls_succeed_or_fail_cleanly(
    postgres_brittle: Stack, account: Account
) -> None:
    stack = postgres_brittle
    answered: list[Seen] = []
    stop = threading.Event()

    def keep_calling(number: int) -> None:
        body = HI if number % 2 else STREAM.replace(b"delay_ms=100", b"delay_ms=1")
        while not stop.is_set():
            answered.append(call(stack.base_url, body, key=account.api_key))

    with ThreadPoolExecutor(8) as threads:
        callers: list[Future[None]] = [threads.submit(keep_calling, n) for n in range(8)]
        try:
            for _ in range(5 * TIMES):
                enough = len(answered) + 40
                wait_until(partial(has_length, answered, enough))
                assert terminate_backends(stack.database_url)
        finally:
            stop.set()
        for caller in callers:
            caller.result(60)

    assert {answer.status for answer in answered} <= {200, 503}
    for answer in answered:
        if answer.status == 503:
            assert answer.error["type"] == "server_error"
            assert "Nothing was charged" in answer.error["message"]
            assert answer.headers["retry-after"]
    served = {answer.call_id for answer in answered if answer.status == 200}
    last = wait_until(
        lambda: (seen := call(stack.base_url, HI, key=account.api_key)).status == 200 and seen
    )
    assert last
    served.add(last.call_id)
    # What was served is charged in the end, without waiting for any sweep.
    wait_until_closed(stack, account, served)
    let_time_pass(stack, open_holds(stack, account))
    sweep(stack, account)
    holds = calls_of(stack, account)
    assert served <= {hold.reference for hold in holds}
    for hold in holds:
        if hold.reference in served:
            assert hold.state is HoldState.SETTLED
            assert hold.charged in (HI_COSTS, STREAM_COSTS)
    assert len([hold for hold in holds if hold.charged]) >= len(served)
    charged = sum(hold.charged.microcredits for hold in holds)
    expect_whole(stack, account, charged=Credits(charged))
