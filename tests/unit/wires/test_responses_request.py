from typing import Any

import orjson
import pytest

from adapters.wires.openai.responses import Responses
from creditcore.ports.inference import Wire
from tests.unit.wires.asking import Asking

wire: Wire = Responses()
asking = Asking(wire, {"input": "hello"})
parse, refused, sent = asking.parse, asking.refused, asking.sent


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def test_minimal_request_is_understood_and_never_stored() -> None:
    request = parse()

    assert (request.model, request.stream, request.output_limit) == ("m", False, None)
    assert request.prompt_estimate == 2
    assert sent(request) == {
        "stream": False,
        "model": "m",
        "input": "hello",
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }


def test_a_conversation_passes_whole() -> None:
    fields = {
        "instructions": "Be brief.",
        "input": [
            {"role": "developer", "content": "x"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_1",
                "status": "completed",
                "content": [{"type": "output_text", "text": "x", "annotations": []}],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "x"},
            {
                "type": "custom_tool_call_output",
                "call_id": "d",
                "output": [{"type": "input_text", "text": "x"}],
            },
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "custom"}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {}}},
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content"],
        "truncation": "auto",
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.9,
    }

    assert {name: sent(parse(**fields))[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "root", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "input[0].type"),
        ({"input": [{"type": ["message"]}]}, "input[0].type"),
        ({"input": [{"type": "function_call_output"}]}, "input[0].output"),
        ({"input": user({"type": "input_audio"})}, "input[0].content[0].type"),
        ({"input": user({"type": "input_text"})}, "input[0].content[0].text"),
        (
            {"input": user({"type": "input_image", "file_id": "f"})},
            "input[0].content[0].file_id",
        ),
        (
            {"input": user({"type": "input_image", "image_url": "ftp://x"})},
            "input[0].content[0].image_url",
        ),
        ({"input": user({"type": "input_file"})}, "input[0].content[0].file_data"),
        ({"instructions": ["x"]}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp"}]}, "tools[0].type"),
        ({"tools": [{"type": "namespace", "name": "n"}]}, "tools[0].tools"),
        (
            {"tools": [{"type": "namespace", "tools": [{"type": "web_search"}]}]},
            "tools[0].tools[0].type",
        ),
        ({"include": "file_search_call.results"}, "include"),
        ({"truncation": "some"}, "truncation"),
        ({"stream": True, "stream_options": [1]}, "stream_options"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": 1}},
            "stream_options.include_obfuscation",
        ),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", True),
        ("conversation", "conv_1"),
        ("context_management", [{"type": "compaction"}]),
        ("fallbacks", ["x"]),
        ("mock_response", "x"),
        ("output_cost_per_token", 0),
        ("previous_response_id", "resp_1"),
        ("prompt", {"id": "p"}),
        ("service_tier", "priority"),
    ],
)
def test_what_is_stored_routed_or_priced_otherwise_is_refused(name: str, value: Any) -> None:
    error = refused(**{name: value})

    assert (error.param, error.code) == (name, "unsupported_parameter")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", False),
        ("metadata", {"a": "b"}),
        ("user", "x"),
        ("service_tier", "auto"),
        ("max_tool_calls", 3),
    ],
)
def test_harmless_field_is_taken_but_not_forwarded(name: str, value: Any) -> None:
    assert name not in sent(parse(**{name: value}))


@pytest.mark.parametrize(
    ("limit", "bound", "expected"),
    [(None, None, None), (None, 40, 40), (100, 40, 40), (100, 400, 100), (100, None, 100)],
)
def test_output_never_exceeds_either_limit(
    limit: int | None, bound: int | None, expected: int | None
) -> None:
    assert sent(parse(max_output_tokens=limit), bound).get("max_output_tokens") == expected


@pytest.mark.parametrize("text", ["", "a" * 1000, "日本語" * 100, '\n\t"\\' * 50])
def test_prompt_bound_covers_every_byte_that_is_sent(text: str) -> None:
    request = parse(instructions=text, input=[{"role": "user", "content": text}])

    assert request.prompt_bound is not None
    assert request.prompt_bound >= len(wire.upstream_body(request, output_bound=None))


@pytest.mark.parametrize(
    ("part", "estimate"),
    [
        ({"type": "input_image", "image_url": "https://example.com/a.png"}, 250),
        ({"type": "input_image", "image_url": "data:image/png;base64,AAAA"}, 250),
        ({"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}, 1500),
        ({"type": "input_file", "file_url": "https://example.com/a.pdf"}, 250),
    ],
)
def test_media_leave_the_prompt_without_a_bound_of_bytes(
    part: dict[str, Any], estimate: int
) -> None:
    request = parse(input=user(part))

    assert request.prompt_bound is None
    assert request.prompt_estimate == estimate


def test_an_error_says_the_same_to_readers_of_either_shape() -> None:
    passed = wire.error_event("Gone.", kind="server_error", code="timeout")

    assert passed.startswith(b"event: error\ndata: ")
    error = orjson.loads(passed.splitlines()[1].removeprefix(b"data: "))
    assert error["type"] == "error"
    assert error["message"] == error["error"]["message"] == "Gone."
    assert error["code"] == error["error"]["code"] == "timeout"


def test_what_codex_always_sends_passes() -> None:
    tools = [
        {"type": "function", "name": "shell", "parameters": {}},
        {"type": "namespace", "name": "files", "tools": [{"type": "custom", "name": "patch"}]},
    ]

    request = parse(tools=tools, client_metadata={"originator": "codex_exec"})

    assert sent(request)["tools"] == tools
    assert "client_metadata" not in sent(request)


def test_reasoning_is_asked_for_once() -> None:
    wanted = ["message.output_text.logprobs", "reasoning.encrypted_content"]

    assert sent(parse(include=wanted))["include"] == wanted
    assert sent(parse(include=wanted[:1]))["include"] == wanted


def test_a_reference_to_a_stored_item_is_told_what_to_do() -> None:
    error = refused(input=[{"type": "item_reference", "id": "msg_1"}])

    assert "nothing is stored here" in str(error)
    assert "store to false" in str(error)


@pytest.mark.parametrize(("ttl", "expected"), [("12h", True), ("30m", False)])
def test_what_openai_keeps_for_half_a_day_is_held_as_the_dearer_write(
    ttl: str, *, expected: bool
) -> None:
    mark = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": ttl}}
    said = [{"type": "message", **user({"type": "input_text", "text": "x", **mark})[0]}]

    request = asking.parse(input=said)

    assert asking.sent(request)["input"] == said
    assert request.long_cache is expected
