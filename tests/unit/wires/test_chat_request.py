from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.chat_meter import ChatDocumentMeter, ChatStreamMeter
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import InferenceRequest, Wire
from creditcore.ports.outgoing import LONG_BYTES

wire: Wire = ChatCompletions()
HELLO = [{"role": "user", "content": "hello"}]


def parse(**fields: Any) -> InferenceRequest:
    return wire.parse(orjson.dumps({"model": "m", "messages": HELLO, **fields}))


def refused(body: bytes) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        wire.parse(body)
    return caught.value


def refused_with(**fields: Any) -> InvalidRequestError:
    return refused(orjson.dumps({"model": "m", "messages": HELLO, **fields}))


def sent(request: InferenceRequest, output_bound: int | None = None) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(wire.upstream_body(request, output_bound=output_bound))
    return body


def a_part(**part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "see"}, part]}]


# The body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"temperature": NaN}',
        b'{"temperature": 1e999}',
        b'{"model": "\\ud800"}',
        b'{"model": "\xff"}',
        b'{"messages": ' + b"[" * 100_000,
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "stop": '
        + b"[" * 300
        + b"]" * 300
        + b"}",
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "response_format": '
        + b'{"a":' * 300
        + b"1"
        + b"}" * 301,
    ],
)
def test_body_that_is_no_usable_json_object_is_refused(body: bytes) -> None:
    assert str(refused(body)).endswith(".")


def test_minimal_request_is_understood() -> None:
    request = parse()

    assert (request.model, request.stream, request.wants_usage) == ("m", False, False)
    assert (request.output_limit, request.choices, request.prompt_estimate) == (None, 1, 2)
    assert sent(request) == {"stream": False, "model": "m", "messages": HELLO}


@pytest.mark.parametrize("model", [None, "", "x" * 201, 7, ["m"], "a\nb", "a\x00b", "a\x7fb"])
def test_model_must_be_a_short_printable_name(model: Any) -> None:
    assert refused_with(model=model).param == "model"


def test_null_means_absent() -> None:
    fields = dict.fromkeys(("n", "stream", "max_tokens", "tools", "temperature", "anything"))

    assert sent(parse(**fields)) == sent(parse())


# Messages


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ({}, "messages"),
        ("hello", "messages"),
        (["hello"], "messages[0]"),
        ([{"content": "x"}], "messages[0].role"),
        ([{"role": "root", "content": "x"}], "messages[0].role"),
        ([{"role": ["user"], "content": "x"}], "messages[0].role"),
        ([*HELLO, {"role": "user", "content": 7}], "messages[1].content"),
        ([{"role": "user", "content": {"text": "x"}}], "messages[0].content"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"text": "x"}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": ["text"]}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        (a_part(type="image_url", image_url={"url": 7}), "messages[0].content[1].image_url"),
        (a_part(type="image_url"), "messages[0].content[1].image_url"),
        (
            a_part(type="image_url", image_url={"url": "file:///etc/passwd"}),
            "messages[0].content[1].image_url",
        ),
        (a_part(type="file", file={"file_id": "file-1"}), "messages[0].content[1].file"),
        (a_part(type="file", file={}), "messages[0].content[1].file.file_data"),
        (a_part(type="input_audio", input_audio={}), "messages[0].content[1].type"),
        (a_part(type="video_url", video_url={}), "messages[0].content[1].type"),
        ([{"role": "assistant", "content": "x", "audio": {"id": "a"}}], "messages[0].audio"),
        ([{"role": "user", "content": "x", "mock": [1]}], "messages[0].mock"),
    ],
)
def test_bad_message_is_named(messages: Any, param: str) -> None:
    assert refused_with(messages=messages).param == param


def test_conversation_with_tools_passes_whole() -> None:
    messages = [
        {"role": "developer", "content": "Be brief.", "cache_control": {"type": "ephemeral"}},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}], "name": "Ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "w", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]

    assert sent(parse(messages=messages))["messages"] == messages


def test_null_fields_of_an_echoed_answer_are_left_out() -> None:
    echoed = {"role": "assistant", "content": "hi", "audio": None, "refusal": None}

    assert sent(parse(messages=[echoed]))["messages"] == [{"role": "assistant", "content": "hi"}]


# Fields


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.7),
        ("temperature", 1),
        ("top_p", 0.9),
        ("top_k", 40),
        ("min_p", 0.05),
        ("frequency_penalty", -0.5),
        ("presence_penalty", 0.5),
        ("repetition_penalty", 1.1),
        ("seed", 7),
        ("stop", "END"),
        ("stop", ["a", "b"]),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"50256": -100}),
        ("response_format", {"type": "json_object"}),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("tool_choice", "auto"),
        ("tool_choice", {"type": "function", "function": {"name": "f"}}),
        ("parallel_tool_calls", False),
        ("functions", [{"name": "f"}]),
        ("function_call", "auto"),
        ("reasoning_effort", "low"),
        ("reasoning", {"effort": "low"}),
        ("thinking", {"type": "enabled", "budget_tokens": 1024}),
        ("verbosity", "low"),
        ("prompt_cache_key", "k"),
        ("n", 3),
    ],
)
def test_field_is_forwarded_as_it_is(name: str, value: Any) -> None:
    assert sent(parse(**{name: value}))[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", 1),
        ("stream", "true"),
        ("n", 0),
        ("n", 129),
        ("n", True),
        ("n", 1.5),
        ("max_tokens", 0),
        ("max_tokens", -2),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("max_tokens", "10"),
        ("max_tokens", 2**53 + 1),
        ("max_tokens", 2**63),
        ("max_completion_tokens", 2**64 - 1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_k", 1.5),
        ("seed", "x"),
        ("stop", 7),
        ("stop", ["a"] * 17),
        ("stop", [7]),
        ("logprobs", 1),
        ("logit_bias", {"1": "x"}),
        ("response_format", "json"),
        ("tools", {}),
        ("tool_choice", 1),
        ("functions", ["f"]),
        ("reasoning_effort", 3),
        ("thinking", "much"),
    ],
)
def test_wrong_value_is_named(name: str, value: Any) -> None:
    error = refused_with(**{name: value})

    assert (error.param, error.code) == (name, "invalid_value")
    assert name in str(error)


@pytest.mark.parametrize(
    ("tool", "param", "code"),
    [
        ("f", "tools[1]", "invalid_value"),
        ({"type": "web_search_preview"}, "tools[1].type", "unsupported_parameter"),
        ({"type": "namespace", "tools": []}, "tools[1].type", "unsupported_parameter"),
        ({"type": ["function"]}, "tools[1].type", "invalid_value"),
        ({"googleSearch": {}}, "tools[1].type", "invalid_value"),
        ({"type": None}, "tools[1].type", "invalid_value"),
    ],
)
def test_a_tool_of_the_provider_is_refused_by_its_place(tool: Any, param: str, code: str) -> None:
    error = refused_with(tools=[{"type": "function", "function": {"name": "f"}}, tool])

    assert (error.param, error.code) == (param, code)


def test_a_refused_tool_is_named_with_what_to_do() -> None:
    error = refused_with(tools=[{"type": "web_search"}])

    assert "tools[0].type 'web_search'" in str(error)
    assert "run it yourself" in str(error)


@pytest.mark.parametrize("name", ["prediction", "prompt_cache_options", "client_metadata"])
def test_what_cannot_raise_the_cost_is_dropped(name: str) -> None:
    assert name not in sent(parse(**{name: {"type": "content", "content": "x"}}))


def test_integer_beyond_64_bits_is_no_integer() -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": %d}'

    assert refused(body % 10**30).param == "max_tokens"


@pytest.mark.parametrize(
    "name",
    [
        "api_base",
        "base_url",
        "api_key",
        "user_config",
        "model_list",
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "mock_response",
        "mock_tool_calls",
        "mock_timeout",
        "mock_delay",
        "litellm_metadata",
        "litellm_session_id",
        "tags",
        "guardrails",
        "callbacks",
        "timeout",
        "num_retries",
        "input_cost_per_token",
        "output_cost_per_token",
        "cache_read_input_token_cost",
        "cache",
        "no-log",
        "extra_headers",
        "extra_body",
        "custom_llm_provider",
        "router_settings",
        "x-litellm-tags",
        "aws_access_key_id",
        "audio",
        "web_search_options",
    ],
)
def test_field_that_routes_mocks_prices_or_tags_is_refused(name: str) -> None:
    error = refused_with(**{name: "x"})

    assert (error.param, error.code) == (name, "unsupported_parameter")


@pytest.mark.parametrize("name", ["unheard_of", "Temperature", "x" * 1000])
def test_unknown_field_is_refused(name: str) -> None:
    error = refused_with(**{name: 1})

    assert (error.param, error.code) == (name[:64], "unknown_parameter")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user", "somebody-else"),
        ("metadata", {"tags": ["a"], "user_id": "x"}),
        ("safety_identifier", "x"),
        ("store", True),
        ("service_tier", "auto"),
        ("service_tier", "default"),
        ("modalities", ["text"]),
    ],
)
def test_harmless_field_is_taken_but_not_forwarded(name: str, value: Any) -> None:
    assert name not in sent(parse(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service_tier", "priority"),
        ("service_tier", "flex"),
        ("service_tier", {"a": 1}),
        ("modalities", ["text", "audio"]),
    ],
)
def test_what_would_be_priced_otherwise_is_refused(name: str, value: Any) -> None:
    error = refused_with(**{name: value})

    assert (error.param, error.code) == (name, "unsupported_parameter")


# Streaming


def test_usage_is_always_asked_for_in_streams() -> None:
    for options in ({}, {"stream_options": {"include_usage": False}}):
        request = parse(stream=True, **options)

        assert not request.wants_usage
        assert sent(request)["stream_options"] == {"include_usage": True}


def test_client_that_asks_for_usage_is_remembered() -> None:
    options = {"include_usage": True, "include_obfuscation": False}

    assert parse(stream=True, stream_options=options).wants_usage


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": True, "stream_options": []}, "stream_options"),
        (
            {"stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
        ),
    ],
)
def test_bad_stream_options_are_named(fields: dict[str, Any], param: str) -> None:
    assert refused_with(**fields).param == param


def test_relay_can_tell_a_streamed_body() -> None:
    assert sent(parse(stream=True))["stream"] is True
    assert sent(parse())["stream"] is False


def no_receipt(_usage: Usage) -> dict[str, str]:
    return {}


def test_meter_fits_the_request() -> None:
    assert isinstance(
        wire.meter(parse(stream=True), receipt=no_receipt, explain=failure_within), ChatStreamMeter
    )
    assert isinstance(
        wire.meter(parse(), receipt=no_receipt, explain=failure_within), ChatDocumentMeter
    )


# Bounds


@pytest.mark.parametrize(
    ("given", "bound", "expected"),
    [
        ({}, None, {}),
        ({}, 100, {"max_tokens": 100}),
        ({"max_tokens": 50}, 100, {"max_tokens": 50}),
        ({"max_tokens": 500}, 100, {"max_tokens": 100}),
        ({"max_tokens": 500}, None, {"max_tokens": 500}),
        ({"max_completion_tokens": 500}, 100, {"max_completion_tokens": 100}),
        ({"max_completion_tokens": 50}, 100, {"max_completion_tokens": 50}),
        ({"max_tokens": 50, "max_completion_tokens": 50}, 100, {"max_completion_tokens": 50}),
    ],
)
def test_output_never_exceeds_either_limit(
    given: dict[str, int], bound: int | None, expected: dict[str, int]
) -> None:
    body = sent(parse(**given), bound)

    assert {name: body[name] for name in body if name.startswith("max_")} == expected


def test_limits_that_differ_are_refused() -> None:
    assert refused_with(max_tokens=1, max_completion_tokens=2).param == "max_tokens"


def test_equal_requests_give_equal_bytes() -> None:
    request = parse(temperature=0.5, stream=True, max_tokens=9)

    bodies = {wire.upstream_body(request, output_bound=5) for _ in range(3)}

    assert len(bodies) == 1


@pytest.mark.parametrize("given", [{}, {"max_tokens": 50}, {"max_completion_tokens": 50}])
def test_a_plain_request_is_written_once_where_nothing_of_it_changes(
    given: dict[str, int],
) -> None:
    request = parse(temperature=0.5, **given)

    assert wire.upstream_body(request, output_bound=50 if given else None) is request.body
    assert sent(request) == {
        "stream": False,
        "model": "m",
        "messages": HELLO,
        "temperature": 0.5,
        **given,
    }


def test_a_long_request_is_not_kept_in_writing() -> None:
    text = "x" * LONG_BYTES

    assert parse(messages=[{"role": "user", "content": text}]).body is None


@pytest.mark.parametrize("text", ["", "a" * 1000, "日本語" * 100, '\n\t"\\' * 50, "🦜" * 30])
def test_prompt_bound_covers_every_byte_that_is_sent(text: str) -> None:
    request = parse(messages=[{"role": "user", "content": text}])

    assert request.prompt_bound is not None
    assert request.prompt_bound >= len(wire.upstream_body(request, output_bound=None))
    assert request.prompt_estimate == -(-len(text.encode()) // 4)


def test_tools_count_in_bound_and_estimate() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "d" * 4000}}]

    request = parse(tools=tools)

    assert request.prompt_bound is not None
    assert request.prompt_bound > 4000
    assert request.prompt_estimate > 1000


@pytest.mark.parametrize(
    ("part", "estimate"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, 250),
        ({"type": "image_url", "image_url": "data:image/png;base64,AAAA"}, 250),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}, 1500),
    ],
)
def test_media_leave_the_prompt_without_a_bound_of_bytes(
    part: dict[str, Any], estimate: int
) -> None:
    request = parse(messages=a_part(**part))

    assert request.prompt_bound is None
    assert request.prompt_estimate == estimate + 2  # "text" and "see"
    assert sent(request)["messages"] == a_part(**part)


def test_deep_tool_call_is_counted_without_recursion() -> None:
    deep: Any = "text"
    for _ in range(200):
        deep = [deep]

    assert parse(messages=[{"role": "assistant", "tool_calls": deep}]).prompt_estimate == 1


def test_error_event_is_what_sdks_raise_from() -> None:
    event = wire.error_event("Gone.", kind="server_error", code="upstream_error")

    assert event.endswith(b"\n\n")
    assert orjson.loads(event.removeprefix(b"data: ")) == {
        "error": {
            "message": "Gone.",
            "type": "server_error",
            "param": None,
            "code": "upstream_error",
        }
    }


def test_a_budget_for_thinking_stays_below_a_limit_that_was_lowered() -> None:
    thinking = {"type": "enabled", "budget_tokens": 8_000}
    request = parse(max_completion_tokens=9_000, thinking=thinking)

    assert sent(request)["thinking"] == thinking
    assert sent(request, 2_000)["thinking"] == {"type": "enabled", "budget_tokens": 1_999}
