"""A process carries so many streams and no more; one too many costs no customer anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from creditcore import Credits
from tests.faults.wire import (
    PATH,
    Seen,
    call,
    chat_body,
    raw_connection,
    read_until,
    request_bytes,
    reset,
)
from tests.stack import Account, Stack, running_stack, wait_until

MOST = 2
LASTING = "[[sim tokens=2000 delay_ms=50]]"
MESSAGES = "/v1/messages"


@pytest.fixture(scope="module")
def small_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway that carries two streams."""
    data: Path = tmp_path_factory.mktemp("small")
    with running_stack("", data, MAX_STREAMS=str(MOST)) as stack:
        yield stack


@pytest.fixture
def account(small_stack: Stack) -> Account:
    return small_stack.an_account(credits_="1000")


def stream(stack: Stack, account: Account, order: str = "Hi", **fields: object) -> Seen:
    return call(stack.base_url, chat_body(order, stream=True, **fields), key=account.api_key)


def fill(stack: Stack, account: Account, sockets: ExitStack) -> None:
    """Open as many streams as there may be; they last until their sockets close."""
    body = chat_body(LASTING, stream=True, max_tokens=2000)
    for _ in range(MOST):
        sock = sockets.enter_context(raw_connection(stack.base_url))
        sock.sendall(request_bytes(body, key=account.api_key))
        read_until(sock, b"token 0")


def expect_room(stack: Stack, account: Account) -> None:
    """Assert that all places have come free, and that there are no more than before."""
    wait_until(lambda: stack.wallet_of(account.person_id).held == Credits(0))
    with ExitStack() as sockets:
        fill(stack, account, sockets)
        assert stream(stack, account).status == 503
    wait_until(lambda: stack.wallet_of(account.person_id).held == Credits(0))


def test_one_stream_too_many_is_refused_before_anything_is_held(
    small_stack: Stack, account: Account
) -> None:
    other = small_stack.an_account()
    with ExitStack() as sockets:
        fill(small_stack, account, sockets)
        before = small_stack.upstream(summary=1)["total"]

        seen = stream(small_stack, other)
        anthropic = call(
            small_stack.base_url,
            json.dumps(
                {
                    "model": "demo-chat",
                    "stream": True,
                    "max_tokens": 5,
                    "messages": [{"role": "user", "content": "Hi"}],
                }
            ).encode(),
            key=other.api_key,
            path=MESSAGES,
        )

        assert (seen.status, seen.headers["retry-after"]) == (503, "1")
        assert (seen.error["type"], seen.error["code"]) == ("server_error", "overloaded")
        assert seen.error["message"]
        assert (anthropic.status, anthropic.headers["retry-after"]) == (503, "1")
        assert anthropic.error["type"] == "overloaded_error"
        assert small_stack.calls_of(other) == []
        assert small_stack.upstream(summary=1)["total"] == before
        plain = call(small_stack.base_url, chat_body("Hi"), key=other.api_key, path=PATH)
        assert plain.status == 200

    expect_room(small_stack, account)


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_client_that_leaves_frees_its_place(
    small_stack: Stack, account: Account, leave: str
) -> None:
    with ExitStack() as sockets:
        body = chat_body(LASTING, stream=True, max_tokens=2000)
        for _ in range(MOST):
            sock = sockets.enter_context(raw_connection(small_stack.base_url))
            sock.sendall(request_bytes(body, key=account.api_key))
            read_until(sock, b"token 0")
            if leave == "reset":
                reset(sock)

    expect_room(small_stack, account)


@pytest.mark.parametrize(
    ("order", "fields", "status"),
    [
        ("Hi", {}, 200),
        ("[[sim tokens=9 cut_after=4]]", {}, 200),
        ("[[sim tokens=9 error_after=4]]", {}, 200),
        ("[[sim status=400]]", {}, 400),
        ("[[sim status=500]]", {}, 502),
        ("Hi", {"model": "unheard-of"}, 404),
        ("Hi", {"max_tokens": 10**9, "n": 128}, 200),
        ("Hi", {"n": "many"}, 400),
    ],
)
def test_a_stream_that_ends_or_never_begins_frees_its_place(
    small_stack: Stack, account: Account, order: str, fields: dict[str, object], status: int
) -> None:
    seen = [stream(small_stack, account, order, **fields).status for _ in range(MOST + 1)]

    assert set(seen) == {status}


def test_a_stream_of_a_key_that_opens_nothing_takes_no_place(
    small_stack: Stack, account: Account
) -> None:
    stranger = Account("", "", "", account.api_key[:-1])

    assert {stream(small_stack, stranger).status for _ in range(MOST + 1)} == {401}


def test_after_all_of_that_there_are_as_many_places_as_before(
    small_stack: Stack, account: Account
) -> None:
    expect_room(small_stack, account)
