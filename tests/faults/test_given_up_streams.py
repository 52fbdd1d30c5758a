"""What its client leaves, or we give up, is ended upstream and paid for as far as it came."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from creditcore import Basis, Credits, HoldState
from tests.faults.outcomes import (
    CLIENT_LEFT,
    FUNDED,
    closed_hold,
    counted,
    estimated,
    expect_charge,
    expect_release,
    expect_upstream_closed,
    price,
    stream,
    upstream_call,
)
from tests.faults.wire import (
    answer_on,
    call,
    call_id_in,
    chat_body,
    connect,
    raw_connection,
    read_until,
    request_bytes,
    reset,
    send_on,
)
from tests.stack import Account, Stack, running_stack, wait_until


@dataclass(frozen=True)
class Begun:
    """A call that was sent, of an account that makes no other."""

    account: Account
    order: str
    call_id: str = ""


REPORTED = "[[sim tokens=20 prompt=11 delay_ms=100]]"
"""Long enough to leave in its middle, and short enough to be read to its end after that."""


# What follows takes the gateway seconds each, so it goes on at once, beside the other tests.
ABANDONED = {
    "unreported": "[[sim tokens=20 usage=missing delay_ms=100]]",
    "long": "[[sim tokens=2000 delay_ms=50]]",
    "silent": "[[sim tokens=9 hang_after=3]]",
    "late": "[[sim tokens=400 delay_ms=50 first_ms=500]]",
}


@pytest.fixture(scope="module", autouse=True)
def abandoned(sqlite_stack: Stack, postgres_stack: Stack) -> dict[tuple[str, str], Begun]:
    """Streams of every kind whose clients have left, on both gateways."""
    return {
        (stack.base_url, kind): abandon(stack, order)
        for stack in (sqlite_stack, postgres_stack)
        for kind, order in ABANDONED.items()
    }


def abandon(
    stack: Stack,
    order: str,
    *,
    leave: Callable[[socket.socket], object] = socket.socket.close,
    **fields: object,
) -> Begun:
    """Start a stream of somebody new, and leave: after its first token, or before if it is late."""
    account = stack.an_account(credits_=str(FUNDED))
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request_bytes(chat_body(order, stream=True, **fields), key=account.api_key))
        if "first_ms" in order:
            [hold] = wait_until(lambda: stack.calls_of(account))
            call_id = hold.reference
            wait_until(lambda: upstream_call(stack, call_id))
        else:
            head = read_until(sock, b"\r\n\r\n")
            read_until(sock, b"token 0", head)
            call_id = call_id_in(head)
        leave(sock)
    return Begun(account, order, call_id)


@dataclass(frozen=True)
class Hasty:
    """A gateway that gives up after seconds, and calls that it will give up."""

    stack: Stack
    unanswered: dict[bool, tuple[Begun, http.client.HTTPConnection]]
    hanging: tuple[Begun, http.client.HTTPConnection]
    unread: Begun


@pytest.fixture(scope="module", autouse=True)
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hasty]:
    data: Path = tmp_path_factory.mktemp("hasty")
    with running_stack("", data, MAX_STREAM_SECONDS="5") as stack, ExitStack() as opened:

        def sent(order: str, *, streamed: bool) -> tuple[Begun, http.client.HTTPConnection]:
            account = stack.an_account(credits_=str(FUNDED))
            connection = opened.enter_context(closing(connect(stack.base_url)))
            send_on(connection, chat_body(order, stream=streamed), key=account.api_key)
            return Begun(account, order), connection

        account = stack.an_account(credits_="20000")
        # More than all buffers between the gateway and us can keep.
        order = "[[sim tokens=16000]]"
        long = chat_body(order, stream=True, n=16, max_tokens=16000)
        sock = opened.enter_context(raw_connection(stack.base_url, receive_bytes=4096))
        sock.sendall(request_bytes(long, key=account.api_key))
        yield Hasty(
            stack,
            unanswered={
                streamed: sent("[[sim hang=1]]", streamed=streamed) for streamed in (True, False)
            },
            hanging=sent("[[sim tokens=9 hang_after=3]]", streamed=True),
            unread=Begun(account, order, call_id_in(read_until(sock, b"\r\n\r\n"))),
        )


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_a_client_that_leaves_pays_what_the_provider_still_reports(
    stack: Stack, leave: Callable[[socket.socket], object]
) -> None:
    # So little is left to write that the end is near.
    left = abandon(stack, REPORTED, leave=leave, max_tokens=100)

    hold = expect_charge(stack, left.account, Basis.PROVIDER_USAGE, price(11, 20))
    assert hold.outcome.status == CLIENT_LEFT


@pytest.mark.parametrize("kind", ["unreported", "long"])
def test_a_client_that_leaves_pays_for_what_passed_where_no_report_comes(
    stack: Stack, abandoned: dict[tuple[str, str], Begun], kind: str
) -> None:
    left = abandoned[stack.base_url, kind]

    seen = expect_upstream_closed(stack, left.call_id)
    hold = closed_hold(stack, left.account)

    assert hold.outcome.basis is Basis.COUNTED_OUTPUT
    assert hold.outcome.usage
    assert hold.outcome.usage.prompt_tokens == estimated(left.order)
    sent = seen["tokens_sent"]
    assert isinstance(sent, int)
    assert counted(1) <= hold.outcome.usage.completion_tokens <= counted(sent)
    assert hold.charged == price(estimated(left.order), hold.outcome.usage.completion_tokens)
    wallet = stack.wallet_of(left.account.person_id)
    assert wallet.posted == wallet.available == FUNDED - hold.charged


@pytest.mark.parametrize("kind", ["long", "late"])
def test_a_client_that_leaves_a_long_stream_ends_it_upstream(
    stack: Stack, abandoned: dict[tuple[str, str], Begun], kind: str
) -> None:
    left = abandoned[stack.base_url, kind]

    assert expect_upstream_closed(stack, left.call_id)["closed_by_client"] is True
    assert closed_hold(stack, left.account).outcome.status == CLIENT_LEFT


def test_a_client_that_leaves_while_the_upstream_is_silent_is_noticed(
    stack: Stack, abandoned: dict[tuple[str, str], Begun]
) -> None:
    left = abandoned[stack.base_url, "silent"]

    assert expect_upstream_closed(stack, left.call_id)["closed_by_client"] is True
    cost = price(estimated(left.order), counted(3))
    expect_charge(stack, left.account, Basis.COUNTED_OUTPUT, cost)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_leaves_before_any_answer_ends_its_call(
    stack: Stack, account: Account, *, streamed: bool
) -> None:
    order = "[[sim hang=1]]"
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request_bytes(chat_body(order, stream=streamed), key=account.api_key))
        [hold] = wait_until(lambda: stack.calls_of(account))
        wait_until(lambda: upstream_call(stack, hold.reference))

    # Long before the gateway would give up the upstream, which ends with another status.
    assert expect_upstream_closed(stack, hold.reference)["closed_by_client"] is True
    left = expect_charge(stack, account, Basis.COUNTED_OUTPUT, price(estimated(order), 0))
    assert left.outcome.status == CLIENT_LEFT


def test_a_named_call_goes_on_without_its_client(stack: Stack, account: Account) -> None:
    order = "[[sim tokens=5 prompt=11 first_ms=1500]]"
    request = request_bytes(
        chat_body(order), key=account.api_key, headers=("Idempotency-Key: once",)
    )
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request)
        wait_until(lambda: stack.calls_of(account))

    expect_charge(stack, account, Basis.PROVIDER_USAGE, price(11, 5))
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request)
        assert b"idempotent-replayed: true" in read_until(sock, b"\r\n\r\n").lower()


def test_a_client_that_stops_reading_counts_as_gone(hasty: Hasty) -> None:
    # Cut, or on a quick machine read to its end for the usage; never left waiting.
    expect_upstream_closed(hasty.stack, hasty.unread.call_id)
    hold = closed_hold(hasty.stack, hasty.unread.account)

    assert (hold.state, hold.outcome.status) == (HoldState.SETTLED, CLIENT_LEFT)
    assert hold.charged > Credits(0)


@pytest.mark.parametrize("streamed", [True, False])
def test_an_upstream_that_never_answers_is_given_up(hasty: Hasty, *, streamed: bool) -> None:
    begun, connection = hasty.unanswered[streamed]

    seen = answer_on(connection)

    assert (seen.status, seen.error["code"]) == (504, "upstream_timeout")
    assert seen.is_discreet()
    expect_upstream_closed(hasty.stack, seen.call_id)
    expect_release(hasty.stack, begun.account)


def test_a_stream_that_hangs_is_ended_and_costs_what_came(hasty: Hasty) -> None:
    begun, connection = hasty.hanging

    seen = answer_on(connection)

    assert json.loads(seen.events[-1])["error"]["code"] == "timeout"
    assert b": ping" in seen.body
    expect_upstream_closed(hasty.stack, seen.call_id)
    cost = price(estimated(begun.order), counted(3))
    expect_charge(hasty.stack, begun.account, Basis.COUNTED_OUTPUT, cost)


def test_an_upstream_that_is_down_is_a_clear_error(hasty: Hasty) -> None:
    stack = hasty.stack
    account = stack.an_account(credits_=str(FUNDED))
    control = "/control/litellm/down"
    call(stack.sandbox.base_url, b'{"down": true}', key="", path=control)
    try:
        seen = stream(stack, account, "Hi")
    finally:
        call(stack.sandbox.base_url, b'{"down": false}', key="", path=control)

    assert (seen.status, seen.error["code"]) == (502, "upstream_unavailable")
    assert seen.is_discreet()
    expect_release(stack, account)
    assert stream(stack, account, "Hi").status == 200


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
