"""Legacy completions through the unmodified OpenAI SDK, each charged exactly."""

from __future__ import annotations

import openai
import pytest

from creditcore import Basis
from tests.e2e.prices import FUNDED, price
from tests.stack import Account, Stack


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def test_a_text_is_continued_at_its_price(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    raw = client.completions.with_raw_response.create(
        model="demo-chat", prompt="[[sim tokens=7 prompt=11]]"
    )

    answer = raw.parse()
    assert answer.choices[0].text.startswith("token 0")
    assert raw.headers["x-credits-cost"] == str(price(11, 7))
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - price(11, 7)


def test_without_a_limit_sixteen_tokens_are_held_and_sent(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    answer = client.completions.create(model="demo-chat", prompt="[[sim tokens=100 prompt=11]]")

    [hold] = stack.calls_of(account)
    [sent] = stack.upstream(call_id=hold.reference)["calls"]
    assert answer.choices[0].finish_reason == "length"
    assert (hold.call.output_bound, sent["body"]["max_tokens"]) == (16, 16)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - price(11, 16)


def test_several_answers_to_several_prompts_are_held_and_paid(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    answer = client.completions.create(
        model="demo-chat", prompt=["one", "[[sim tokens=5 prompt=11]]"], n=2, max_tokens=10
    )

    [hold] = stack.calls_of(account)
    assert len(answer.choices) == 4
    assert hold.call.output_bound == 40
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - price(11, 20)


@pytest.mark.parametrize("shown", [True, False])
def test_a_stream_shows_usage_where_it_was_asked_for(
    stack: Stack, account: Account, client: openai.OpenAI, *, shown: bool
) -> None:
    chunks = list(
        client.completions.create(
            model="demo-chat",
            prompt="[[sim tokens=7 prompt=11 cost=0.5]]",
            stream=True,
            max_tokens=20,
            stream_options={"include_usage": shown},
        )
    )

    usages = [chunk.usage for chunk in chunks if chunk.usage]
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert text == "token 0 token 1 token 2 token 3 token 4 token 5 token 6"
    assert [usage.completion_tokens for usage in usages] == [7] * shown
    assert [usage.model_extra["cost"] for usage in usages] == [str(price(11, 7))] * shown
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - price(11, 7)


def test_an_error_in_the_stream_is_raised_and_what_passed_is_counted(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    prompt = "[[sim tokens=9 error_after=4]]"
    stream = client.completions.create(model="demo-chat", prompt=prompt, stream=True)

    with pytest.raises(openai.APIError, match="provider died"):
        list(stream)

    counted = -(-len("token 0 token 1 token 2 token 3") // 4)
    wallet = stack.settled_wallet_of(account.person_id)
    assert wallet.posted == FUNDED - price(-(-len(prompt) // 4), counted)
    [hold] = stack.calls_of(account)
    assert hold.outcome.basis is Basis.COUNTED_OUTPUT
