"""However a stream goes wrong, its hold is resolved, its charge is right, nothing is told."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from creditcore import Basis, Credits, Hold, HoldState
from tests.faults.wire import (
    Seen,
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

FUNDED = Credits.of(200)
# demo-chat costs 1 and 4 USD per million tokens; credits are 200 per USD of cost.
PROMPT_TOKEN = 200
OUTPUT_TOKEN = 800
CLIENT_LEFT = 499


def price(prompt_tokens: int, output_tokens: int) -> Credits:
    return Credits(prompt_tokens * PROMPT_TOKEN + output_tokens * OUTPUT_TOKEN)


def estimated(prompt: str) -> int:
    """Tokens of a prompt that nobody counted: four bytes each."""
    return -(-len(prompt) // 4)


def counted(tokens: int) -> int:
    """Tokens that we count in the first ``tokens`` of the sandbox: four bytes each."""
    text = "".join(f"{' ' if number else ''}token {number}" for number in range(tokens))
    return max(tokens, -(-len(text) // 4))


@pytest.fixture
def account(stack: Stack) -> Iterator[Account]:
    """Somebody with credits; in the end nothing of theirs is held."""
    account = stack.an_account(credits_=str(FUNDED))
    yield account
    assert stack.settled_wallet_of(account.person_id).held == Credits(0)


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
    stack: Stack, order: str, *, leave: Callable[[socket.socket], object] = socket.socket.close
) -> Begun:
    """Start a stream of somebody new, and leave: after its first token, or before if it is late."""
    account = stack.an_account(credits_=str(FUNDED))
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request_bytes(chat_body(order, stream=True), key=account.api_key))
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


def stream(stack: Stack, account: Account, order: str, **fields: object) -> Seen:
    return call(stack.base_url, chat_body(order, stream=True, **fields), key=account.api_key)


def document(stack: Stack, account: Account, order: str, **fields: object) -> Seen:
    return call(stack.base_url, chat_body(order, **fields), key=account.api_key)


def closed_hold(stack: Stack, account: Account) -> Hold:
    """Return the only hold of an account once it is closed."""

    def closed() -> Hold | None:
        holds: list[Hold] = stack.calls_of(account)
        assert len(holds) <= 1
        return holds[0] if holds and not holds[0].is_open else None

    hold = wait_until(closed)
    assert hold is not None
    return hold


def expect_charge(stack: Stack, account: Account, basis: Basis, charged: Credits) -> Hold:
    """Assert how the only call of an account was settled, and that its wallet agrees."""
    hold = closed_hold(stack, account)
    assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, basis)
    assert hold.charged == charged
    wallet = stack.wallet_of(account.person_id)
    assert (wallet.posted, wallet.available) == (FUNDED - charged, FUNDED - charged)
    return hold


def expect_release(stack: Stack, account: Account) -> Hold:
    """Assert that the only call of an account cost nothing."""
    hold = closed_hold(stack, account)
    assert (hold.state, hold.charged) == (HoldState.RELEASED, Credits(0))
    assert stack.wallet_of(account.person_id).available == FUNDED
    return hold


def upstream_call(stack: Stack, call_id: str) -> dict[str, object]:
    found: list[dict[str, object]] = stack.upstream(call_id=call_id)["calls"]
    return found[0] if found else {}


def expect_upstream_closed(stack: Stack, call_id: str) -> dict[str, object]:
    """Wait until the model server sees that its caller is gone."""

    def ended() -> dict[str, object]:
        seen = upstream_call(stack, call_id)
        return seen if seen.get("ended_at") else {}

    return wait_until(ended)


# -- the upstream fails ---------------------------------------------------------------


def test_a_stream_cut_by_the_upstream_ends_with_an_error_and_costs_what_came(
    stack: Stack, account: Account
) -> None:
    order = "[[sim tokens=9 cut_after=4]]"

    seen = stream(stack, account, order)

    assert seen.status == 200
    assert json.loads(seen.events[-1])["error"]["type"] == "server_error"
    assert b"[DONE]" not in seen.body
    assert seen.is_discreet()
    hold = expect_charge(stack, account, Basis.COUNTED_OUTPUT, price(estimated(order), counted(4)))
    assert hold.outcome.error == "upstream_unavailable"


def test_a_stream_cut_before_its_first_token_costs_nothing(stack: Stack, account: Account) -> None:
    seen = stream(stack, account, "[[sim tokens=9 cut_after=0]]")

    assert seen.is_discreet()
    assert closed_hold(stack, account).charged == Credits(0)
    assert stack.wallet_of(account.person_id).available == FUNDED


def test_a_document_cut_by_the_upstream_is_an_error_and_costs_nothing(
    stack: Stack, account: Account
) -> None:
    seen = document(stack, account, "[[sim tokens=9 cut_after=4]]")

    assert seen.status == 502
    assert seen.error["code"] == "upstream_unavailable"
    assert seen.is_discreet()
    expect_charge(stack, account, Basis.NONE, Credits(0))


def test_an_error_in_the_stream_is_told_in_our_words_and_costs_what_came(
    stack: Stack, account: Account
) -> None:
    order = "[[sim tokens=9 error_after=4]]"

    seen = stream(stack, account, order)

    assert json.loads(seen.events[-1])["error"]["message"]
    assert seen.is_discreet()
    hold = expect_charge(stack, account, Basis.COUNTED_OUTPUT, price(estimated(order), counted(4)))
    assert hold.outcome.error


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ("status=400", 400, "context_length_exceeded"),
        ("status=401", 502, "upstream_unavailable"),
        ("status=403", 502, "upstream_unavailable"),
        ("status=404", 404, None),
        ("status=429", 429, "rate_limit_exceeded"),
        ("status=500", 502, "upstream_unavailable"),
        ("status=503", 502, "upstream_unavailable"),
        ("status=400 error=budget", 502, "upstream_unavailable"),
        ("status=429 error=budget", 502, "upstream_unavailable"),
        ("status=500 sse=1", 502, "upstream_unavailable"),
        ("status=400 sse=1", 400, "context_length_exceeded"),
    ],
)
def test_a_refusal_becomes_the_right_status_and_costs_nothing(
    stack: Stack, account: Account, order: str, status: int, code: str | None, *, streamed: bool
) -> None:
    send = stream if streamed else document

    seen = send(stack, account, f"[[sim {order}]]")

    assert seen.status == status
    assert seen.error["code"] == code
    assert seen.error["message"]
    assert seen.is_discreet()
    assert (seen.headers.get("retry-after") == "7") is (status == 429)
    hold = expect_release(stack, account)
    assert hold.outcome.status == status
    assert seen.call_id == hold.reference


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


# -- the usage is wrong ---------------------------------------------------------------


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("usage", ["missing", "zero", "negative", "absurd", "string"])
def test_usage_that_cannot_be_true_is_counted_by_us(
    stack: Stack, account: Account, usage: str, *, streamed: bool
) -> None:
    order = f"[[sim tokens=9 usage={usage}]]"
    send = stream if streamed else document

    seen = send(stack, account, order)

    assert seen.status == 200
    cost = price(estimated(order), counted(9))
    if not streamed:
        assert seen.headers["x-credits-cost"] == str(cost)
        assert seen.headers["x-credits-remaining"] == str(FUNDED - cost)
    expect_charge(stack, account, Basis.COUNTED_OUTPUT, cost)
    assert f"write_off:{seen.call_id}" not in alerts(stack)
    assert "unusable_usage:demo-chat" in alerts(stack)


@pytest.mark.parametrize("streamed", [True, False])
def test_usage_beyond_the_hold_takes_the_hold_and_never_the_wallet(
    stack: Stack, *, streamed: bool
) -> None:
    order = "[[sim tokens=3000 prompt=9 ignore_max=1]]"
    account = stack.an_account(credits_="0.5")
    send = stream if streamed else document

    seen = send(stack, account, order, max_tokens=5)

    assert seen.status == 200
    hold = closed_hold(stack, account)
    assert hold.outcome.basis is Basis.PROVIDER_USAGE
    assert hold.charged == hold.amount
    assert hold.charged + hold.written_off == price(9, 3000)
    wallet = stack.wallet_of(account.person_id)
    assert wallet.posted == wallet.available == Credits.parse("0.5") - hold.amount
    assert f"write_off:{hold.reference}" in alerts(stack)


def alerts(stack: Stack) -> set[str]:
    with stack.store.begin() as tx:
        return {alert.key for alert in tx.alerts.recent(limit=1000)}


# -- the wire is odd ------------------------------------------------------------------


@pytest.mark.parametrize(
    "manner",
    [
        "drip_bytes=1",
        "drip_bytes=7 crlf=1",
        "crlf=1",
        "comment=1",
        "usage_early=1",
        "done=0",
        "openai=1",
        "openai=1 usage_early=1",
        "cost=0.5",
        "reasoning=3",
        "cached=4",
    ],
)
@pytest.mark.parametrize("include_usage", [True, False])
def test_odd_manners_change_neither_text_nor_charge(
    stack: Stack, account: Account, manner: str, *, include_usage: bool
) -> None:
    options = {"stream_options": {"include_usage": True}} if include_usage else {}

    seen = stream(stack, account, f"[[sim tokens=6 prompt=11 {manner}]]", **options)

    assert seen.text == "token 0 token 1 token 2 token 3 token 4 token 5"
    assert (b'"usage":{' in seen.body) is include_usage
    assert seen.is_discreet()
    reasoning, cached = 3 * ("reasoning" in manner), 4 * ("cached" in manner)
    # A cached token costs a tenth.
    cost = price(11, 6 + reasoning) - Credits(cached * PROMPT_TOKEN * 9 // 10)
    expect_charge(stack, account, Basis.PROVIDER_USAGE, cost)


def test_a_plain_answer_tells_nothing_about_the_upstream(stack: Stack, account: Account) -> None:
    seen = document(stack, account, "[[sim tokens=6 prompt=11 cost=0.5]]")

    assert seen.status == 200
    assert seen.is_discreet()
    allowed = {
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "date",
        "server",
        "x-content-type-options",
        "x-credits-cost",
        "x-credits-remaining",
        "x-request-id",
    }
    assert set(seen.headers) <= allowed


# -- the client leaves ----------------------------------------------------------------


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_a_client_that_leaves_pays_what_the_provider_still_reports(
    stack: Stack, leave: Callable[[socket.socket], object]
) -> None:
    left = abandon(stack, REPORTED, leave=leave)

    hold = expect_charge(stack, left.account, Basis.PROVIDER_USAGE, price(11, 20))
    assert hold.outcome.status == CLIENT_LEFT


@pytest.mark.parametrize("kind", ["unreported", "long"])
def test_a_client_that_leaves_pays_for_what_passed_where_nobody_reports(
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


def test_a_client_that_leaves_before_a_document_pays_for_it(stack: Stack, account: Account) -> None:
    order = "[[sim tokens=5 prompt=11 first_ms=500]]"
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request_bytes(chat_body(order), key=account.api_key))
        wait_until(lambda: stack.calls_of(account))

    expect_charge(stack, account, Basis.PROVIDER_USAGE, price(11, 5))


def test_a_client_that_stops_reading_counts_as_gone(hasty: Hasty) -> None:
    # Cut, or on a quick machine read to its end for the usage; never left waiting.
    expect_upstream_closed(hasty.stack, hasty.unread.call_id)
    hold = closed_hold(hasty.stack, hasty.unread.account)

    assert (hold.state, hold.outcome.status) == (HoldState.SETTLED, CLIENT_LEFT)
    assert hold.charged > Credits(0)


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
