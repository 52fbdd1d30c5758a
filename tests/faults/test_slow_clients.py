"""Clients that are slow, on purpose or not, harm no other client."""

from __future__ import annotations

import json
import resource
from contextlib import ExitStack, suppress
from pathlib import Path

import requests

from creditcore import Credits
from tests.faults.conftest import NEVER_WHOLE, Endless
from tests.faults.wire import chat_body, raw_connection, read_to_the_end, request_bytes
from tests.stack import PATIENCE_S, Stack, wait_until

SLOW_READERS = 200
MAX_CONNECTIONS = 2_000
MOST_GROWTH_KB = 100 * SLOW_READERS


def memory_kb(stack: Stack) -> int:
    """Return the resident memory of the gateway's processes."""
    group = stack.process.pid
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            status = (stat.parent / "status").read_text()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += sum(
                int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")
            )
    return total


def test_two_hundred_slow_readers_leave_room_for_others(sqlite_stack: Stack) -> None:
    slow, quick = sqlite_stack.an_account(credits_="500"), sqlite_stack.an_account()
    long_answer = request_bytes(chat_body("[[sim tokens=900]]", stream=True), key=slow.api_key)
    quiet_kb = memory_kb(sqlite_stack)

    with ExitStack() as open_sockets:
        readers = [
            open_sockets.enter_context(raw_connection(sqlite_stack.base_url, receive_bytes=2048))
            for _ in range(SLOW_READERS)
        ]
        for reader in readers:
            reader.sendall(long_answer)
        for reader in readers:
            assert reader.recv(10).startswith(b"HTTP/1.1 2")
        answers = [sqlite_stack.chat("Hi", key=quick.api_key) for _ in range(20)]
        grown_kb = memory_kb(sqlite_stack) - quiet_kb

    assert {answer.status_code for answer in answers} == {200}
    assert grown_kb < MOST_GROWTH_KB
    wait_until(lambda: sqlite_stack.wallet_of(slow.person_id).held == Credits(0))
    assert len(sqlite_stack.calls_of(slow)) == SLOW_READERS
    assert sqlite_stack.audit().clean


def test_heads_and_bodies_that_never_end_are_cut(sqlite_stack: Stack, endless: Endless) -> None:
    answers = [each.recv(65536) for each in (endless.body, endless.chunks, endless.form)]
    rest = endless.head.recv(65536)

    assert [answer[:13] for answer in (*answers, rest)] == [b"HTTP/1.1 408 "] * 4
    assert b"head of the request" in rest
    assert NEVER_WHOLE not in json.dumps(sqlite_stack.upstream()["calls"])
    assert sqlite_stack.calls_of(endless.account) == []


def test_heads_that_never_end_keep_no_client_out(sqlite_stack: Stack) -> None:
    # As many as a process takes connections: while they last, no other gets in. Many systems
    # allow fewer files by default.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * MAX_CONNECTIONS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * MAX_CONNECTIONS), hard))
    with ExitStack() as open_sockets:
        heads = [
            open_sockets.enter_context(raw_connection(sqlite_stack.base_url))
            for _ in range(MAX_CONNECTIONS)
        ]
        for head in heads:
            head.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        answer = requests.get(f"{sqlite_stack.base_url}/healthz", timeout=PATIENCE_S)
        last = heads[-1].recv(65536)

    assert answer.ok
    # The first ones gave way to others.
    assert last.startswith(b"HTTP/1.1 408 ")


def test_what_follows_half_a_body_is_not_taken_for_a_request(endless: Endless) -> None:
    for each in (endless.body, endless.chunks, endless.form):
        with suppress(ConnectionError):
            each.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert b"200 OK" not in read_to_the_end(each)
