"""Responses through the unmodified OpenAI SDK, each charged exactly."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest

from creditcore import Basis, Credits
from tests.e2e.prices import FUNDED, price
from tests.stack import Account, Stack

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "strict": None,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def expect_charge(stack: Stack, account: Account, charge: Credits, basis: Basis) -> None:
    wallet = stack.settled_wallet_of(account.person_id)
    [hold] = stack.calls_of(account)
    assert (wallet.posted, hold.outcome.basis) == (FUNDED - charge, basis)


def test_a_plain_response_costs_its_price(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    raw = client.responses.with_raw_response.create(
        model="demo-chat", input="[[sim tokens=7 prompt=11]]", instructions="Count.", store=True
    )

    answer = raw.parse()
    assert answer.output_text.startswith("token 0")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert "cost" not in answer.usage.model_extra
    assert raw.headers["x-credits-cost"] == str(price(11, 7))
    [call] = stack.upstream(call_id=raw.headers["x-request-id"])["calls"]
    assert call["body"]["store"] is False
    expect_charge(stack, account, price(11, 7), Basis.PROVIDER_USAGE)


@pytest.mark.parametrize("order", ["", "openai=1", "crlf=1 drip_bytes=7", "cost=0.5"])
def test_a_streamed_response_is_openais_from_any_provider(
    stack: Stack, account: Account, client: openai.OpenAI, order: str
) -> None:
    with client.responses.stream(
        model="demo-chat", input=f"[[sim tokens=7 prompt=11 {order}]]"
    ) as stream:
        text = "".join(event.delta for event in stream if event.type.endswith("text.delta"))
        answer = stream.get_final_response()

    assert text == answer.output_text == " ".join(f"token {at}" for at in range(7))
    assert answer.usage.model_extra == {
        "cost": str(price(11, 7)),
        "balance": str(FUNDED - price(11, 7)),
    }
    assert answer.id.startswith("resp_")
    assert len(answer.id) < 40
    expect_charge(stack, account, price(11, 7), Basis.PROVIDER_USAGE)


def test_the_bytes_are_those_of_openai(stack: Stack, account: Account) -> None:
    body = {"model": "demo-chat", "input": "[[sim tokens=2]]", "stream": True}

    answer = stack.post("/v1/responses", body, key=account.api_key)

    events = [event.split("\n") for event in answer.text.rstrip("\n").split("\n\n")]
    assert all(json.loads(data[6:])["type"] == name[7:] for name, data in events)
    assert events[-1][0] == "event: response.completed"


def test_cached_and_reasoning_tokens_have_their_own_price(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    client.responses.create(
        model="demo-reasoning", input="[[sim tokens=7 prompt=100 cached=40 reasoning=5]]"
    )

    # 2, 8 and 12 USD per million tokens; the cache has no price of its own.
    expect_charge(stack, account, Credits(100 * 400 + 7 * 1600 + 5 * 2400), Basis.PROVIDER_USAGE)


def test_tools_work_streamed_and_plain(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    question = [{"role": "user", "content": "Weather in Kisumu?"}]

    plain = client.responses.create(model="demo-chat", input=question, tools=[WEATHER])
    with client.responses.stream(model="demo-chat", input=question, tools=[WEATHER]) as stream:
        streamed = stream.get_final_response()
    [call] = plain.output
    answer = client.responses.create(
        model="demo-chat",
        tools=[WEATHER],
        input=[
            *question,
            call.to_dict(),
            {"type": "function_call_output", "call_id": call.call_id, "output": "Hot"},
        ],
    )

    assert (call.type, call.name) == ("function_call", "get_weather")
    assert json.loads(call.arguments) == {"city": "example"}
    assert streamed.output[0].arguments == call.arguments
    assert answer.output_text
    wallet = stack.settled_wallet_of(account.person_id)
    charged = sum(hold.charged.microcredits for hold in stack.calls_of(account))
    assert wallet.posted == FUNDED - Credits(charged)


def test_structured_output_is_parsed(client: openai.OpenAI) -> None:
    class City(pydantic.BaseModel):
        name: str
        people: int

    answer = client.responses.parse(model="demo-chat", input="A city?", text_format=City)

    assert answer.output_parsed == City(name="example", people=1)


def test_a_response_that_outruns_its_wallet_ends_as_at_its_limit(stack: Stack) -> None:
    poor = stack.an_account(credits_="0.25")
    order = "[[sim tokens=10000 prompt=10 ignore_max=1]]"
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=poor.api_key) as client:
        events = list(client.responses.create(model="demo-chat", input=order, stream=True))

    words = [event.delta for event in events if event.type == "response.output_text.delta"]
    last = events[-1]
    wallet = stack.settled_wallet_of(poor.person_id)
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert last.model_extra["notice"]["code"] == "credits_exhausted"
    assert last.response.output_text == "".join(words)
    assert wallet.posted >= Credits(0)
    assert 0 < len(words) * 800 <= 250_000 - wallet.posted.microcredits
    assert stack.calls_of(poor)[0].outcome.error == "credits_exhausted"


@pytest.mark.parametrize("order", ["error_after=4", "cut_after=4"])
def test_what_breaks_in_the_stream_is_raised_and_counted(
    stack: Stack, account: Account, client: openai.OpenAI, order: str
) -> None:
    text = f"[[sim tokens=9 {order}]]"
    stream = client.responses.create(model="demo-chat", input=text, stream=True)

    with pytest.raises(openai.APIError):
        list(stream)

    counted = -(-len("token 0 token 1 token 2 token 3") // 4)
    expect_charge(stack, account, price(-(-len(text) // 4), counted), Basis.COUNTED_OUTPUT)


def test_a_failed_response_tells_the_providers_words(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    text = "[[sim tokens=9 error_after=4 openai=1]]"

    events = list(client.responses.create(model="demo-chat", input=text, stream=True))

    assert events[-1].type == "response.failed"
    assert events[-1].response.error.message == "provider died"
    counted = -(-len("token 0 token 1 token 2 token 3") // 4)
    expect_charge(stack, account, price(-(-len(text) // 4), counted), Basis.COUNTED_OUTPUT)


@pytest.mark.parametrize("usage", ["missing", "zero", "negative", "absurd"])
@pytest.mark.parametrize("streamed", [True, False])
def test_usage_that_cannot_be_true_is_counted(
    stack: Stack, account: Account, client: openai.OpenAI, usage: str, *, streamed: bool
) -> None:
    text = f"[[sim tokens=4 usage={usage}]]"

    answer = client.responses.create(model="demo-chat", input=text, stream=streamed)
    if streamed:
        list(answer)

    counted = -(-len("token 0 token 1 token 2 token 3") // 4)
    expect_charge(stack, account, price(-(-len(text) // 4), counted), Basis.COUNTED_OUTPUT)


def test_a_client_that_leaves_pays_for_what_was_written(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    order = "[[sim tokens=20 prompt=11 delay_ms=50]]"

    with client.responses.create(
        model="demo-chat", input=order, stream=True, max_output_tokens=100
    ) as events:
        next(event for event in events if event.type.endswith("text.delta"))

    # The end is near, so the rest is read for a moment, for its usage.
    expect_charge(stack, account, price(11, 20), Basis.PROVIDER_USAGE)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ],
)
def test_what_is_stored_or_run_elsewhere_is_refused(
    stack: Stack, account: Account, client: openai.OpenAI, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="demo-chat", input="Hi", **fields)

    assert caught.value.param == param
    assert stack.calls_of(account) == []


def test_stored_responses_are_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.retrieve("resp_1")

    assert caught.value.code == "unknown_url"


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
