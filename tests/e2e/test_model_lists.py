"""The list of models and the free count of tokens, through the unmodified SDKs."""

from __future__ import annotations

import anthropic
import pytest
import requests

from adapters.flask_web.web.throttle import COUNTS_PER_KEY
from tests.stack import PATIENCE_S, Account, Stack

HELLO = {"model": "demo-chat", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def test_anthropics_sdk_lists_and_finds_models(stack: Stack, account: Account) -> None:
    with anthropic.Anthropic(
        base_url=stack.base_url, api_key=account.api_key, max_retries=0
    ) as client:
        names = [model.id for model in client.models.list(limit=1)]
        found = client.models.retrieve("demo-chat")

    assert "demo-chat" in names
    assert names == sorted(set(names))
    assert (found.id, found.type) == ("demo-chat", "model")


def test_a_model_that_is_not_there_is_refused_in_anthropics_words(
    stack: Stack, account: Account
) -> None:
    answer = requests.get(
        f"{stack.base_url}/v1/models/nothing",
        headers={"x-api-key": account.api_key, "anthropic-version": "2023-06-01"},
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_counting_is_free_and_makes_no_call(stack: Stack, account: Account) -> None:
    before = stack.upstream()

    with anthropic.Anthropic(
        base_url=stack.base_url, api_key=account.api_key, max_retries=0
    ) as client:
        count = client.messages.count_tokens(
            model="demo-chat", messages=[{"role": "user", "content": "hello"}]
        )

    assert count.input_tokens == 1 + 4  # its words, and four for each message
    assert stack.upstream() == before


def test_counting_needs_a_key_and_a_model(stack: Stack, account: Account) -> None:
    url = f"{stack.base_url}/v1/messages/count_tokens"
    headers = {"x-api-key": account.api_key}

    wrong_key = requests.post(url, json=HELLO, headers={"x-api-key": "x"}, timeout=PATIENCE_S)
    no_model = requests.post(
        url, json={**HELLO, "model": "nothing"}, headers=headers, timeout=PATIENCE_S
    )
    got = requests.get(url, headers=headers, timeout=PATIENCE_S)

    assert (wrong_key.status_code, no_model.status_code, got.status_code) == (401, 404, 405)


def test_counting_too_often_is_refused(stack: Stack) -> None:
    account = stack.an_account()
    url = f"{stack.base_url}/v1/messages/count_tokens"
    with requests.Session() as session:
        session.headers["x-api-key"] = account.api_key
        for _ in range(COUNTS_PER_KEY.amount):
            assert session.post(url, json=HELLO, timeout=PATIENCE_S).status_code == 200

        refused = session.post(url, json=HELLO, timeout=PATIENCE_S)

    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert refused.headers["retry-after"] == "60"
