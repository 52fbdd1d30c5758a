"""What holds when the gateway is reached directly holds behind the proxies that it documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from creditcore import Basis
from tests.faults.outcomes import CLIENT_LEFT, closed_hold, expect_upstream_closed, upstream_call
from tests.faults.wire import chat_body, raw_connection, read_until, request_bytes
from tests.proxies.conftest import Proxied
from tests.stack import PATIENCE_S, wait_until

MEGABYTE = 1024 * 1024
_STALL = re.compile(r"stood still for \d+ ms; the latest request was .*")


def stalls(proxied: Proxied) -> list[str]:
    return _STALL.findall(proxied.log.read_text())


@pytest.fixture(autouse=True)
def unstalled(proxied: Proxied) -> Iterator[None]:
    """Nothing may have waited while a test ran."""
    requests.get(proxied.url, timeout=PATIENCE_S).raise_for_status()
    before = stalls(proxied)
    yield
    assert requests.get(f"{proxied.url}/healthz", timeout=PATIENCE_S).ok
    assert stalls(proxied) == before


def test_events_come_through_before_the_stream_ends(proxied: Proxied) -> None:
    account = proxied.stack.an_account()
    body = chat_body("[[sim tokens=9 hang_after=3]]", stream=True)
    with raw_connection(proxied.url) as sock:
        sock.sendall(request_bytes(body, key=account.api_key))
        # The fourth never comes: what is held back until something follows would not either.
        assert read_until(sock, b"token 2")
    assert proxied.stack.settled_wallet_of(account.person_id)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_leaves_a_silent_call_is_noticed(proxied: Proxied, *, streamed: bool) -> None:
    account = proxied.stack.an_account()
    with raw_connection(proxied.url) as sock:
        body = chat_body("[[sim hang=1]]", stream=streamed)
        sock.sendall(request_bytes(body, key=account.api_key))
        [hold] = wait_until(lambda: proxied.stack.calls_of(account))
        wait_until(lambda: upstream_call(proxied.stack, hold.reference))

    assert expect_upstream_closed(proxied.stack, hold.reference)["closed_by_client"] is True
    outcome = closed_hold(proxied.stack, account).outcome
    assert (outcome.status, outcome.basis) == (CLIENT_LEFT, Basis.COUNTED_OUTPUT)


def test_slow_heads_and_bodies_keep_nobody_out_and_are_cut(proxied: Proxied) -> None:
    with ExitStack() as opened:

        def begin(data: bytes) -> list[object]:
            socks = [opened.enter_context(raw_connection(proxied.url)) for _ in range(500)]
            for sock in socks:
                sock.sendall(data)
            return socks

        begin(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        bodies = begin(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na")
        for _ in range(10):
            assert requests.get(f"{proxied.url}/healthz", timeout=PATIENCE_S).ok
        if proxied.name == "haproxy":
            # nginx keeps them from the gateway, and Caddy its refusal, for some minutes.
            assert b" 408 " in read_until(bodies[0], b"\r\n")  # type: ignore[arg-type]


def test_an_address_is_the_clients_whatever_it_says(proxied: Proxied) -> None:
    page = requests.get(f"{proxied.url}/sign-in", timeout=PATIENCE_S)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token

    def guess(number: int) -> int:
        return requests.post(
            f"{proxied.url}/sign-in",
            data={
                "csrf_token": token[1],
                "email": f"{number}@example.com",
                "password": "wrong wrong wrong",
            },
            cookies=page.cookies.get_dict(),
            headers={"x-forwarded-for": f"198.51.100.{number}", "referer": proxied.url},
            timeout=PATIENCE_S,
            allow_redirects=False,
        ).status_code

    assert 429 in [guess(number) for number in range(40)]


def test_a_request_that_is_too_long_is_refused(proxied: Proxied) -> None:
    account = proxied.stack.an_account()
    try:
        answer = requests.post(
            f"{proxied.url}/v1/chat/completions",
            data=b" " * (33 * MEGABYTE),
            headers={"authorization": f"Bearer {account.api_key}"},
            timeout=PATIENCE_S,
        )
    except requests.ConnectionError:
        # Refused while it was on its way, by the side that closed first.
        return
    assert answer.status_code == 413


def test_sixty_large_forms_stop_nothing(proxied: Proxied) -> None:
    def send(_: int) -> int:
        return requests.post(
            f"{proxied.url}/sign-in",
            data=b"a&" * 499_900,
            headers={"content-type": "application/x-www-form-urlencoded"},
            timeout=PATIENCE_S,
        ).status_code

    with ThreadPoolExecutor(60) as clients:
        statuses = set(clients.map(send, range(60)))

    assert statuses <= {413, 503}


def test_pipelined_requests_and_small_chunks_stop_nothing(proxied: Proxied) -> None:
    head = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n"
    with raw_connection(proxied.url) as sock:
        sock.sendall((head + b"\r\n") * 100 + head + b"Connection: close\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 ")
    with raw_connection(proxied.url) as sock:
        sock.sendall(
            b"POST /v1/nope HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            sock.sendall(b"1\r\na\r\n" * 170_000 + b"0\r\n\r\n")
        except ConnectionError:
            return
        assert sock.recv(65536).startswith(b"HTTP/1.1 ")
