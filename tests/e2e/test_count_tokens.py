"""A client that asks how large its request is gets the model server's count, or an estimate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
import requests

from creditcore import Credits
from creditcore.domain.limits import KeyLimits
from tests.stack import PATIENCE_S, Account, Stack, wait_until

CLAUDE, OPEN = "claude-sonnet-4-5", "demo-chat"
SYSTEM = "You are terse."
TOOLS = [{"name": "find", "description": "Find a thing", "input_schema": {"type": "object"}}]
SAID = "Tell me all about the committee"
ESTIMATE = 8
"""Of what is said: 31 bytes."""

BY_WORDS = 6 + 4
IMAGE = 250 + 1
"""What is usual for one, and the name of the kind of the part of text beside it."""

PICTURE = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}


@pytest.fixture
def stack(sqlite_stack: Stack) -> Iterator[Stack]:
    yield sqlite_stack
    counts_again(sqlite_stack)


@pytest.fixture
def account(stack: Stack) -> Account:
    """One that has had nothing counted, and so has to wait for nothing."""
    return stack.an_account()


def answer_to(stack: Stack, key: str, said: object = SAID, **fields: Any) -> requests.Response:
    body = {"model": OPEN, "messages": [{"role": "user", "content": said}], **fields}
    return stack.post("/v1/messages/count_tokens", body, key=key)


def tokens(stack: Stack, account: Account, said: object = SAID, **fields: Any) -> int:
    answer = answer_to(stack, account.api_key, said, **fields)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["input_tokens"]
    counted: int = answer.json()["input_tokens"]
    return counted


def control(stack: Stack, **order: object) -> None:
    url = f"{stack.sandbox.base_url}/control/litellm/counts"
    requests.post(url, json=order, timeout=PATIENCE_S).raise_for_status()


def counts_again(stack: Stack) -> None:
    control(stack)


def asked(stack: Stack) -> list[str]:
    """Return the models that the model server was asked to count for."""
    answer = requests.get(f"{stack.sandbox.base_url}/control/litellm/counts", timeout=PATIENCE_S)
    models: list[str] = answer.json()["models"]
    return models


def test_the_provider_counts_all_of_a_request(stack: Stack, account: Account) -> None:
    with anthropic.Anthropic(
        base_url=stack.base_url, api_key=account.api_key, max_retries=0
    ) as client:
        count = client.messages.count_tokens(
            model=CLAUDE,
            system=SYSTEM,
            tools=TOOLS,
            messages=[{"role": "user", "content": SAID}],
        )

    assert count.input_tokens == BY_WORDS + len(SYSTEM.split()) + len(str(TOOLS).split())


def test_else_its_text_is_counted(stack: Stack, account: Account) -> None:
    before = stack.upstream()

    counted = tokens(stack, account, system=SYSTEM)

    assert counted == BY_WORDS + len(SYSTEM.split()) + 4
    # No call is made for it, and nothing held or charged.
    assert stack.upstream() == before
    assert stack.wallet_of(account.person_id).held == Credits(0)
    assert stack.calls_of(account) == []


def test_an_image_that_is_not_counted_stays_as_it_is_estimated(
    stack: Stack, account: Account
) -> None:
    assert tokens(stack, account, [{"type": "text", "text": SAID}, PICTURE]) == BY_WORDS + IMAGE


@pytest.mark.parametrize(
    "body",
    [
        "<html>Bad gateway</html>",
        "",
        "[]",
        *(
            json.dumps({"total_tokens": odd, "request_model": OPEN})
            for odd in (float("nan"), -5, 0, "31", 2**60, 1e300, None, True)
        ),
        json.dumps({"total_tokens": 31, "request_model": "another"}),
        json.dumps({"total_tokens": 31, "request_model": OPEN, "error": True}),
    ],
)
def test_an_odd_answer_leaves_an_estimate(stack: Stack, account: Account, body: str) -> None:
    control(stack, body=body)

    assert tokens(stack, account) == ESTIMATE


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_leaves_an_estimate_and_is_not_shown(
    stack: Stack, account: Account, status: int
) -> None:
    control(stack, status=status, body='{"error":{"message":"sk-secret-upstream-key"}}')

    answer = answer_to(stack, account.api_key)

    assert answer.json() == {"input_tokens": ESTIMATE}
    assert "sk-secret" not in str(answer.headers)


def test_a_model_server_that_is_silent_leaves_an_estimate(stack: Stack, account: Account) -> None:
    control(stack, hangs=True)

    assert tokens(stack, account) == ESTIMATE


def test_without_the_model_server_it_is_an_estimate(stack: Stack, account: Account) -> None:
    url = f"{stack.sandbox.base_url}/control/litellm/down"
    requests.post(url, json={"down": True}, timeout=PATIENCE_S).raise_for_status()
    try:
        assert tokens(stack, account) == ESTIMATE
    finally:
        requests.post(url, json={"down": False}, timeout=PATIENCE_S).raise_for_status()


@pytest.mark.parametrize(
    "said", ["word " * 110_000, "x" * 40_000, " \n" * 20_000 + "x"], ids=["long", "word", "blanks"]
)
def test_what_takes_too_long_is_not_asked(stack: Stack, account: Account, said: str) -> None:
    before = asked(stack)

    assert tokens(stack, account, said) == -(-len(said) // 4)
    assert asked(stack) == before


def test_an_account_has_one_counted_at_a_time_and_its_calls_as_well(stack: Stack) -> None:
    account = stack.an_account(credits_="0.6")
    # Zulu, of whose words nothing is known: 1.15 credits by its letters, 0.38 by a count.
    story = "Ikomidi lahlangana ngolwesibili lixoxa ngonyaka ozayo nangesabelomali salo. " * 92
    before = len(asked(stack))
    control(stack, hangs=True)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(tokens, stack, account)
        wait_until(lambda: len(asked(stack)) > before)
        meanwhile = tokens(stack, account, f"{SAID} again")
        while_asked = len(asked(stack))
        # A call with short credits is counted by itself, in time or not.
        call = pool.submit(stack.chat, story, key=account.api_key, max_tokens=20)
        wait_until(lambda: len(asked(stack)) > while_asked)
        counts_again(stack)
        waiting.result()
        answer = call.result()

    assert meanwhile == 10
    assert while_asked == before + 1
    assert answer.status_code == 200, answer.text


def test_two_are_counted_for_clients_at_a_time(stack: Stack) -> None:
    accounts = [stack.an_account() for _ in range(3)]
    before = len(asked(stack))
    control(stack, hangs=True)

    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(tokens, stack, each) for each in accounts[:2]]
        wait_until(lambda: len(asked(stack)) == before + 2)
        third = tokens(stack, accounts[2])
        counts_again(stack)
        [each.result() for each in waiting]

    assert third == ESTIMATE


def test_a_key_has_nothing_counted_of_other_models_than_its_own(
    stack: Stack, account: Account
) -> None:
    key = stack.a_key(account.person_id, limits=KeyLimits(models=(OPEN,)))
    before = asked(stack)

    refused = answer_to(stack, key, model=CLAUDE)

    assert refused.status_code == 404
    assert asked(stack) == before
