"""Embeddings through the unmodified OpenAI SDK, each charged for exactly what it read."""

from __future__ import annotations

import openai
import pytest

from creditcore import Basis, Credits
from tests.e2e.prices import FUNDED
from tests.stack import Account, Stack

# demo-embedding costs 0.02 USD per million tokens; credits are 200 per USD of cost.
INPUT_TOKEN = 4


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


@pytest.mark.parametrize(
    ("given", "vectors", "tokens"),
    [
        ("four words of text", 1, 4),
        (["two words", "three more words"], 2, 5),
        ([11, 22, 33], 1, 3),
        ([[11, 22], [33]], 2, 3),
    ],
)
def test_each_input_becomes_a_vector_at_its_price(
    stack: Stack,
    account: Account,
    client: openai.OpenAI,
    *,
    given: object,
    vectors: int,
    tokens: int,
) -> None:
    raw = client.embeddings.with_raw_response.create(model="demo-embedding", input=given)

    answer = raw.parse()
    cost = Credits(tokens * INPUT_TOKEN)
    assert len(answer.data) == vectors
    assert len(answer.data[0].embedding) == 8
    assert answer.usage.prompt_tokens == tokens
    assert raw.headers["x-credits-cost"] == str(cost)
    assert raw.headers["x-credits-remaining"] == str(FUNDED - cost)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost


def test_dimensions_reach_the_model(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(
        model="demo-embedding", input="hi", dimensions=3, encoding_format="float"
    )

    assert len(answer.data[0].embedding) == 3


def test_a_batch_longer_than_the_context_is_held_whole(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    text = "four words of text " * 1000

    client.embeddings.create(model="demo-embedding", input=[text] * 4)

    [hold] = stack.calls_of(account)
    assert hold.call.prompt_bound == 4 * 8191
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(
        16_000 * INPUT_TOKEN
    )


def test_usage_that_is_missing_is_counted(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    text = "[[sim usage=missing]]"

    client.embeddings.create(model="demo-embedding", input=text)

    cost = Credits(-(-len(text) // 4) * INPUT_TOKEN)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost
    [hold] = stack.calls_of(account)
    assert hold.outcome.basis is Basis.COUNTED_OUTPUT


def test_a_cut_answer_is_an_error_and_free(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    with pytest.raises(openai.InternalServerError):
        client.embeddings.create(model="demo-embedding", input="[[sim cut_after=0]]")

    assert stack.settled_wallet_of(account.person_id).posted == FUNDED


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "demo-chat", "input": "x"}),
        (
            "/v1/chat/completions",
            {"model": "demo-embedding", "messages": [{"role": "user", "content": "x"}]},
        ),
        ("/v1/completions", {"model": "demo-embedding", "prompt": "x"}),
        ("/v1/responses", {"model": "demo-embedding", "input": "x"}),
        (
            "/v1/messages",
            {
                "model": "demo-embedding",
                "max_tokens": 5,
                "messages": [{"role": "user", "content": "x"}],
            },
        ),
    ],
)
def test_a_model_is_only_called_for_what_it_does(
    stack: Stack, account: Account, path: str, body: dict[str, object]
) -> None:
    answer = stack.post(path, body, key=account.api_key)

    assert answer.status_code == 400
    assert path in answer.json()["error"]["message"]
    assert stack.calls_of(account) == []
