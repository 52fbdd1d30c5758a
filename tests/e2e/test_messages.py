"""Messages through the unmodified Anthropic SDK, each charged exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pydantic
import pytest
import requests

from creditcore import Basis, Credits
from tests.e2e.prices import FUNDED
from tests.stack import PATIENCE_S, Account, Stack

# What the SDK thinks of the age of a model is nothing to us.
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")

MODELS = ("demo-chat", "claude-sonnet-4-5")
WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}

# Credits of a million tokens: provider cost in USD x 200.
PRICES = {
    "demo-chat": {"input": 200, "output": 800, "cached": 20, "written": 200},
    "claude-sonnet-4-5": {"input": 600, "output": 3000, "cached": 60, "written": 750},
}


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


@pytest.fixture
def client(stack: Stack, account: Account) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=stack.base_url, api_key=account.api_key, max_retries=0
    ) as client:
        yield client


def price(model: str, **tokens: int) -> Credits:
    return Credits(sum(PRICES[model][bucket] * count for bucket, count in tokens.items()))


def ask(text: str, model: str = "demo-chat", **fields: Any) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": 200,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_plain_message_costs_its_price(
    stack: Stack, account: Account, client: anthropic.Anthropic, model: str
) -> None:
    raw = client.messages.with_raw_response.create(**ask("[[sim tokens=7 prompt=11]]", model))

    message = raw.parse()
    cost = price(model, input=11, output=7)
    assert message.content[0].text.startswith("token 0")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)
    assert message.stop_reason == "end_turn"
    assert message.id.startswith("msg_")
    assert message._request_id == raw.headers["x-request-id"]
    assert raw.headers["x-credits-cost"] == str(cost)
    assert raw.headers["x-credits-remaining"] == str(FUNDED - cost)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_message_costs_its_price_and_says_so(
    stack: Stack, account: Account, client: anthropic.Anthropic, model: str
) -> None:
    order = "[[sim tokens=7 prompt=100 cached=40 cache_write=20 cost=0.5]]"
    with client.messages.stream(**ask(order, model)) as stream:
        text = stream.get_final_text()
        message = stream.get_final_message()
    with client.messages.create(**ask(order, model) | {"max_tokens": 100}, stream=True) as events:
        [end] = [event for event in events if event.type == "message_delta"]

    cost = price(model, input=40, cached=40, written=20, output=7)
    assert text == "token 0 token 1 token 2 token 3 token 4 token 5 token 6"
    assert message.usage.output_tokens == 7
    assert message.stop_reason == "end_turn"
    assert end.usage.model_extra["cost"] == str(cost)
    assert end.usage.model_extra["balance"] == str(FUNDED - cost - cost)
    wallet = stack.settled_wallet_of(account.person_id)
    assert wallet.posted == FUNDED - cost - cost


@pytest.mark.parametrize("model", MODELS)
def test_tools_work_streamed_and_plain(
    stack: Stack, account: Account, client: anthropic.Anthropic, model: str
) -> None:
    request = ask("Weather in Kisumu?", model, tools=[WEATHER])

    plain = client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    [call] = plain.content
    answer = client.messages.create(
        **ask(
            "",
            model,
            tools=[WEATHER],
            messages=[
                *request["messages"],
                {"role": "assistant", "content": plain.to_dict()["content"]},
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Hot"}],
                },
            ],
        )
    )

    assert (call.type, call.name, call.input) == ("tool_use", "get_weather", {"city": "example"})
    assert (plain.stop_reason, streamed.stop_reason) == ("tool_use", "tool_use")
    assert streamed.content[0].input == call.input
    assert answer.content[0].type == "text"
    wallet = stack.settled_wallet_of(account.person_id)
    charged = sum(hold.charged.microcredits for hold in stack.calls_of(account))
    assert wallet.posted == FUNDED - Credits(charged)


class City(pydantic.BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_has_the_shape_that_was_asked_for(
    client: anthropic.Anthropic, model: str
) -> None:
    message = client.messages.parse(**ask("Kisumu", model), output_format=City)

    assert message.parsed_output == City(name="example")


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_the_key_may_stand_in_either_header(stack: Stack, account: Account, header: str) -> None:
    key = account.api_key if header == "x-api-key" else f"Bearer {account.api_key}"

    answer = post(stack, ask("Hi"), {header: key})

    assert answer.status_code == 200
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


def test_two_keys_that_differ_open_nothing(stack: Stack, account: Account) -> None:
    other = stack.a_key(account.person_id)
    both = {"x-api-key": account.api_key, "authorization": f"Bearer {other}"}

    answer = post(stack, ask("Hi"), both)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    assert stack.calls_of(account) == []


@pytest.mark.parametrize(
    ("header", "path"), [("x-api-key", "/v1/chat/completions"), ("api-key", "/v1/messages")]
)
def test_the_key_header_of_a_protocol_opens_no_other(
    stack: Stack, account: Account, header: str, path: str
) -> None:
    assert post(stack, {}, {header: account.api_key}, path=path).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": "KEY"},
        {"api-key": "KEY", "authorization": "Bearer sk-of-another-service"},
        {"authorization": "KEY"},
        {"authorization": "Bearer KEY", "api-key": "of-another-service"},
    ],
)
def test_a_key_is_found_where_clients_of_openais_protocol_put_it(
    stack: Stack, account: Account, headers: dict[str, str]
) -> None:
    sent = {name: value.replace("KEY", account.api_key) for name, value in headers.items()}
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "Hi"}]}

    assert post(stack, body, sent, path="/v1/chat/completions").status_code == 200


def post(stack: Stack, body: object, headers: dict[str, str], *, path: str = "/v1/messages") -> Any:
    return requests.post(f"{stack.base_url}{path}", json=body, headers=headers, timeout=PATIENCE_S)


def test_only_the_headers_of_the_protocol_reach_the_model(stack: Stack, account: Account) -> None:
    answer = post(
        stack,
        ask("Hi"),
        {
            "x-api-key": account.api_key,
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "context-1m-2025-08-07, interleaved-thinking-2025-05-14",
            "x-litellm-tags": "evil",
        },
    )

    [call] = stack.upstream(call_id=answer.headers["x-request-id"])["calls"]
    assert call["headers"]["anthropic-version"] == "2023-06-01"
    assert call["headers"]["anthropic-beta"] == "interleaved-thinking-2025-05-14"
    assert not {"x-api-key", "x-litellm-tags"} & {*call["headers"]}


@pytest.mark.parametrize(
    ("path", "headers", "status", "kind"),
    [
        ("/v1/messages", {}, 401, "authentication_error"),
        ("/v1/messages", {"x-api-key": "sk-wrong"}, 401, "authentication_error"),
        ("/v1/messages/batches", {}, 404, "not_found_error"),
        ("/v1/messages/count_tokens", {}, 401, "authentication_error"),
    ],
)
def test_what_fails_before_the_call_fails_in_anthropics_shape(
    stack: Stack, path: str, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = post(stack, ask("Hi"), headers, path=path)

    error = answer.json()
    assert answer.status_code == status
    assert (error["type"], error["error"]["type"]) == ("error", kind)
    assert error["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"model": "demo-unpriced"}, anthropic.NotFoundError, "demo-unpriced"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "max_tokens"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "w"}]},
            anthropic.BadRequestError,
            "custom",
        ),
        (
            {"messages": [{"role": "user", "content": "[[sim status=429]]"}]},
            anthropic.RateLimitError,
            "too many",
        ),
        (
            {"messages": [{"role": "user", "content": "[[sim status=500]]"}]},
            anthropic.InternalServerError,
            "not available",
        ),
        (
            {"messages": [{"role": "user", "content": "[[sim status=401]]"}]},
            anthropic.InternalServerError,
            "not available",
        ),
    ],
)
def test_each_error_is_the_sdks_own(
    stack: Stack,
    account: Account,
    client: anthropic.Anthropic,
    *,
    fields: dict[str, Any],
    error: type[anthropic.APIStatusError],
    says: str,
) -> None:
    with pytest.raises(error) as caught:
        client.messages.create(**ask("Hi", **fields))

    assert says in caught.value.message
    assert caught.value.body["type"] == "error"
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED


def test_an_empty_wallet_is_a_billing_error_that_is_not_tried_again(stack: Stack) -> None:
    poor = stack.an_account(credits_="0.2")
    with (
        anthropic.Anthropic(base_url=stack.base_url, api_key=poor.api_key) as client,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        client.messages.create(**ask("Hi", max_tokens=1000))

    assert caught.value.status_code == 402
    assert caught.value.body["error"]["type"] == "billing_error"
    assert "Lower max_tokens to " in caught.value.message
    assert caught.value.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("fault", ["error_after=4", "cut_after=4"])
@pytest.mark.parametrize("model", MODELS)
def test_what_breaks_in_the_stream_is_raised_and_counted(
    stack: Stack, account: Account, client: anthropic.Anthropic, model: str, fault: str
) -> None:
    order = f"[[sim tokens=9 {fault}]]"

    with (
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**ask(order, model)) as stream,
    ):
        stream.until_done()

    expect_count(stack, account, model, order, reported=7 if model.startswith("claude") else None)


@pytest.mark.parametrize("usage", ["missing", "zero", "negative", "absurd"])
@pytest.mark.parametrize("streamed", [True, False])
def test_usage_that_cannot_be_true_is_counted(
    stack: Stack,
    account: Account,
    client: anthropic.Anthropic,
    usage: str,
    *,
    streamed: bool,
) -> None:
    order = f"[[sim tokens=4 usage={usage}]]"

    if streamed:
        with client.messages.stream(**ask(order)) as stream:
            stream.until_done()
    else:
        client.messages.create(**ask(order))

    expect_count(stack, account, "demo-chat", order)


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_leaves_pays_for_what_was_written(
    stack: Stack, account: Account, client: anthropic.Anthropic, model: str
) -> None:
    order = "[[sim tokens=20 prompt=11 delay_ms=50]]"

    with client.messages.create(**ask(order, model) | {"max_tokens": 100}, stream=True) as events:
        next(event for event in events if event.type == "content_block_delta")

    # The rest is read for a moment, for its usage.
    wallet = stack.settled_wallet_of(account.person_id)
    assert wallet.posted == FUNDED - price(model, input=11, output=20)
    [hold] = stack.calls_of(account)
    assert (hold.outcome.status, hold.outcome.basis) == (499, Basis.PROVIDER_USAGE)


def expect_count(
    stack: Stack, account: Account, model: str, order: str, *, reported: int | None = None
) -> None:
    """Assert that the prompt and four tokens of the sandbox were charged by our count."""
    counted = -(-len("token 0 token 1 token 2 token 3") // 4)
    wallet = stack.settled_wallet_of(account.person_id)
    [hold] = stack.calls_of(account)
    assert hold.outcome.basis is Basis.COUNTED_OUTPUT
    assert wallet.posted == FUNDED - price(
        model, input=reported or -(-len(order) // 4), output=counted
    )


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
