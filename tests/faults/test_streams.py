"""However a stream goes wrong, its hold is resolved, its charge is right, nothing is told."""

from __future__ import annotations

import json

import pytest

from creditcore import Basis, Credits
from tests.faults.outcomes import (
    FUNDED,
    PROMPT_TOKEN,
    closed_hold,
    counted,
    document,
    estimated,
    expect_charge,
    expect_release,
    price,
    stream,
)
from tests.stack import Account, Stack


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
@pytest.mark.parametrize("usage", ["missing", "zero", "negative", "absurd"])
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
    assert any(key.startswith("unusable_usage:demo-chat:") for key in alerts(stack))


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
        "access-control-allow-origin",
        "access-control-expose-headers",
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


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
