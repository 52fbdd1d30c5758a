"""``Idempotency-Key``: however often a request is repeated, it is made and charged once."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.stack import Account, Stack, wait_until

SLOW = "[[sim tokens=5 delay_ms=400]]"


def ask(
    stack: Stack, account: Account, token: str, text: str = "hi", **fields: object
) -> requests.Response:
    body = {
        "model": "demo-chat",
        "max_tokens": 20,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }
    return stack.post(
        "/v1/chat/completions",
        body,
        key=account.api_key,
        headers={"idempotency-key": token},
        stream=bool(fields.get("stream")),
    )


def a_token() -> str:
    return uuid.uuid4().hex


def settled(stack: Stack, account: Account) -> list[object]:
    return wait_until(
        lambda: (
            (calls := stack.calls_of(account)) and all(not call.is_open for call in calls) and calls
        )
    )


def test_a_repeat_answers_the_same_and_costs_nothing(stack: Stack, account: Account) -> None:
    token = a_token()
    first = ask(stack, account, token)
    settled(stack, account)
    before = stack.settled_wallet_of(account.person_id)

    again = [ask(stack, account, spelled) for spelled in (token, f'"{token}"')]

    assert first.status_code == 200
    assert [answer.content for answer in again] == [first.content] * 2
    assert {answer.headers["x-request-id"] for answer in again} == {first.headers["x-request-id"]}
    assert [answer.headers["idempotent-replayed"] for answer in again] == ["true"] * 2
    assert stack.settled_wallet_of(account.person_id) == before
    assert len(stack.calls_of(account)) == 1


def test_many_at_once_make_one_call(stack: Stack, account: Account) -> None:
    token = a_token()

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: ask(stack, account, token, SLOW), range(20)))

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 409}
    assert statuses[200] >= 1
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 409} <= {
        "1"
    }
    settled(stack, account)
    assert len(stack.calls_of(account)) == 1
    assert ask(stack, account, token, SLOW).status_code == 200


def test_another_body_under_the_same_key_is_refused(stack: Stack, account: Account) -> None:
    token = a_token()
    ask(stack, account, token)

    other = ask(stack, account, token, "something else")
    elsewhere = stack.post(
        "/v1/messages",
        {"model": "demo-chat", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]},
        key=account.api_key,
        headers={"idempotency-key": token},
    )

    assert [other.status_code, elsewhere.status_code] == [422, 422]
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert other.headers["x-should-retry"] == "false"


def test_a_stream_is_not_given_again_but_its_receipt_is_named(
    stack: Stack, account: Account
) -> None:
    token = a_token()
    with ask(stack, account, token, stream=True) as first:
        assert first.status_code == 200
        text = first.text
    settled(stack, account)

    again = ask(stack, account, token, stream=True)

    call_id = first.headers["x-request-id"]
    assert "[DONE]" in text
    assert (again.status_code, again.json()["error"]["code"]) == (409, "call_made_already")
    assert f"/api/v1/calls/{call_id}" in again.json()["error"]["message"]
    assert again.headers["x-request-id"] == call_id


def test_what_failed_upstream_is_not_asked_again(stack: Stack, account: Account) -> None:
    token = a_token()
    first = ask(stack, account, token, "[[sim status=500]]")

    again = ask(stack, account, token, "[[sim status=500]]")

    assert first.status_code >= 500
    assert (again.status_code, again.content) == (first.status_code, first.content)
    settled(stack, account)
    assert len(stack.calls_of(account)) == 1


def test_what_never_went_upstream_may_run_later(stack: Stack) -> None:
    poor = stack.an_account(credits_="0")
    token = a_token()
    refused = ask(stack, poor, token)
    rich = stack.an_account(credits_="200")

    assert refused.status_code == 402
    assert ask(stack, poor, token).status_code == 402
    assert ask(stack, rich, token).status_code == 200
    assert stack.calls_of(poor) == []


def test_a_call_says_which_of_its_requests_made_it(stack: Stack) -> None:
    account = stack.an_account(credits_="0")
    token = a_token()
    first = ask(stack, account, token).headers["x-request-id"]
    stack.flask("grant", "--email", account.email, "--credits", "200", "--reason", "test")

    assert ask(stack, account, token).headers["x-request-id"] == first

    [hold] = stack.calls_of(account)
    assert hold.reference == first
    assert hold.call.repeat_id not in (None, first)
    own = ask(stack, account, a_token()).headers["x-request-id"]
    assert {hold.reference: hold.call.repeat_id for hold in stack.calls_of(account)}[own] is None


def test_a_key_means_nothing_to_the_keys_of_others(stack: Stack, account: Account) -> None:
    token = a_token()
    first = ask(stack, account, token)

    other = ask(stack, stack.an_account(credits_="200"), token, "something else")

    assert (first.status_code, other.status_code) == (200, 200)


@pytest.mark.parametrize("token", ["", '""', "two words", "x" * 201, '"open', "caf\u00e9"])
def test_a_key_that_means_nothing_is_refused(stack: Stack, account: Account, token: str) -> None:
    answer = stack.post(
        "/v1/chat/completions",
        {"model": "demo-chat", "messages": [{"role": "user", "content": "hi"}]},
        key=account.api_key,
        headers={"idempotency-key": token.encode().decode("latin-1")},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_idempotency_key"
