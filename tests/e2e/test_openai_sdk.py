"""The unmodified OpenAI SDK works against the gateway, and every call is charged exactly."""

from __future__ import annotations

import openai
import pytest

from creditcore import Credits
from tests.stack import Account, Stack

# demo-chat costs 1 and 4 USD per million tokens; credits are 200 per USD of cost.
PROMPT_TOKEN = Credits.parse("0.0002")
OUTPUT_TOKEN = Credits.parse("0.0008")

WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def price(prompt_tokens: int, completion_tokens: int) -> Credits:
    return Credits(
        prompt_tokens * PROMPT_TOKEN.microcredits + completion_tokens * OUTPUT_TOKEN.microcredits
    )


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_plain_completion_costs_its_price(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    raw = client.chat.completions.with_raw_response.create(model="demo-chat", messages=ask("Hi"))

    answer = raw.parse()
    cost = price(answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert answer.choices[0].message.content
    assert raw.headers["x-credits-cost"] == str(cost)
    assert raw.headers["x-credits-remaining"] == str(Credits.of(200) - cost)
    assert stack.settled_wallet_of(account.person_id).posted == Credits.of(200) - cost


def test_a_stream_without_usage_shows_none_and_is_charged_all_the_same(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    chunks = list(
        client.chat.completions.create(
            model="demo-chat", messages=ask("[[sim tokens=7 prompt=11]]"), stream=True
        )
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.startswith("token 0")
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert stack.settled_wallet_of(account.person_id).posted == Credits.of(200) - price(11, 7)


def test_a_stream_with_usage_ends_with_it(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    chunks = list(
        client.chat.completions.create(
            model="demo-chat",
            messages=ask("[[sim tokens=7 prompt=11]]"),
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    usage = chunks[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 7)
    assert stack.settled_wallet_of(account.person_id).posted == Credits.of(200) - price(11, 7)


def test_tools_work_streamed_and_plain(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    plain = client.chat.completions.create(
        model="demo-chat", messages=ask("Weather in Kisumu?"), tools=[WEATHER_TOOL]
    )
    streamed = client.chat.completions.create(
        model="demo-chat", messages=ask("Weather in Kisumu?"), tools=[WEATHER_TOOL], stream=True
    )
    pieces = [
        call.function.arguments or ""
        for chunk in streamed
        for call in chunk.choices[0].delta.tool_calls or []
    ]

    [call] = plain.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert "".join(pieces) == call.function.arguments
    assert len(stack.calls_of(account)) == 2


def test_models_are_listed(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}

    assert "demo-chat" in listed
    assert "demo-unpriced" not in listed


def test_a_wrong_key_is_an_authentication_error(stack: Stack) -> None:
    client = openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="sk-wrong", max_retries=0)

    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model="demo-chat", messages=ask("Hi"))

    assert caught.value.code == "invalid_api_key"


def test_an_unpriced_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="demo-unpriced", messages=ask("Hi"))

    assert caught.value.code == "model_not_found"


def test_an_empty_wallet_is_told_what_to_do(stack: Stack) -> None:
    poor = stack.an_account(credits_="0.2")
    client = openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=poor.api_key)

    with client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="demo-chat", messages=ask("Hi"), max_tokens=1000)

    error = caught.value
    assert (error.status_code, error.code) == (402, "insufficient_quota")
    assert "0.2 are available" in error.message
    assert "Lower max_tokens to " in error.message
    assert "/dashboard/billing" in error.message


def test_a_call_without_a_limit_gets_the_one_its_wallet_affords(stack: Stack) -> None:
    poor = stack.an_account(credits_="0.1")

    answer = stack.chat("[[sim tokens=500]]", key=poor.api_key)

    body = answer.json()
    sent = stack.upstream(call_id=answer.headers["x-request-id"])["calls"][0]["body"]
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == next(
        sent[name] for name in ("max_tokens", "max_completion_tokens") if name in sent
    )
    assert stack.settled_wallet_of(poor.person_id).posted >= Credits(0)
