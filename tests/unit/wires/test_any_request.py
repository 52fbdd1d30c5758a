"""A wire understands any request, or says what is wrong with it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.anthropic.messages import Messages
from adapters.wires.body import (
    MOST_CONTAINERS,
    MOST_VALUES,
    decode_body,
)
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.inference import Wire

WIRES: list[Wire] = [ChatCompletions(), Completions(), Embeddings(), Messages(), Responses()]
MINIMAL: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}]},
    "/v1/completions": {"prompt": "x"},
    "/v1/embeddings": {"input": "x"},
    "/v1/messages": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 5},
    "/v1/responses": {"input": "x"},
}
_ROUTING = {
    "api_base": "http://evil",
    "api_key": "x",
    "aws_access_key_id": "x",
    "cache": {"no-cache": True},
    "custom_llm_provider": "x",
    "extra_headers": {"x": "y"},
    "fallbacks": ["x"],
    "input_cost_per_token": 0,
    "litellm_metadata": {"x": "y"},
    "mock_response": "x",
    "num_retries": 9,
    "tags": ["x"],
    "user_config": {"x": "y"},
}
_NAMES = st.sampled_from(
    [
        "best_of",
        "content",
        "encoding_format",
        "input",
        "instructions",
        "max_tokens",
        "messages",
        "n",
        "output",
        "prompt",
        "role",
        "service_tier",
        "source",
        "stream",
        "stream_options",
        "system",
        "text",
        "tools",
        "type",
    ]
)
_WORDS = st.sampled_from(["user", "text", "message", "image", "tool_result", "function", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | _WORDS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_NAMES, children, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(WIRES), st.dictionaries(_NAMES, _JSON, max_size=5))
def test_it_is_understood_or_refused(wire: Wire, fields: dict[str, Any]) -> None:
    body = orjson.dumps({"model": "m", **MINIMAL[wire.endpoint], **fields})

    try:
        request = wire.parse(body)
    except InvalidRequestError:
        return

    sent = wire.upstream_body(request, output_bound=7)
    assert orjson.loads(sent).get("stream", False) is request.stream


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.endpoint)
@pytest.mark.parametrize("name", _ROUTING)
def test_what_routes_mocks_or_prices_is_refused_everywhere(wire: Wire, name: str) -> None:
    fields = {"model": "m", **MINIMAL[wire.endpoint], name: _ROUTING[name]}

    with pytest.raises(InvalidRequestError) as caught:
        wire.parse(orjson.dumps(fields))

    assert (caught.value.param, caught.value.code) == (name, "unsupported_parameter")


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.endpoint)
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"model": "m"}', b"{" + b'"a":{' * 2000])
def test_what_is_no_request_is_refused_everywhere(wire: Wire, body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        wire.parse(body)


def a_body(field: str, value: str, times: int) -> bytes:
    """Return a request with a list in which a value stands so many times."""
    values = ",".join([value] * times)
    return f'{{"model":"m","{field}":[{values}]}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        a_body("tool_calls", "[]", MOST_CONTAINERS),
        a_body("tool_calls", "{}", MOST_CONTAINERS),
        a_body("stop", "1", MOST_VALUES + 2),
        a_body("stop", '""', MOST_VALUES + 2),
        a_body("stop", '{"a":1}', MOST_CONTAINERS),
        a_body("stop", '["\\\\"]', MOST_CONTAINERS),
    ],
    ids=["lists", "objects", "numbers", "texts", "names", "texts that end in a backslash"],
)
def test_more_values_than_others_can_wait_for_are_refused_unparsed(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        decode_body(body)

    assert refusal.value.code == "request_too_complex"


@pytest.mark.parametrize(
    "text",
    ["[{,}]" * MOST_VALUES, '["\\' * MOST_VALUES, "\\" * 100_000 + ',"[' * MOST_VALUES],
    ids=["brackets", "quotes and backslashes", "backslashes first"],
)
def test_a_long_text_may_have_any_signs(text: str) -> None:
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})

    assert decode_body(body)["messages"][0]["content"] == text


def test_as_many_values_as_are_allowed_are_read() -> None:
    numbers = list(range(MOST_VALUES - 10))

    assert decode_body(orjson.dumps({"model": "m", "input": numbers}))["input"] == numbers
