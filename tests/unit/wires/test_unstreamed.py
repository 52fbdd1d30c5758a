"""A whole answer where a stream was asked for is told as a stream, and counted as one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter, Wire

TEXT = "Once upon a time. " * 150
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
COUNTS = {"prompt_tokens": 9, "completion_tokens": 700, "total_tokens": 709, "cost": 0.5}
IN_AND_OUT = {"input_tokens": 9, "output_tokens": 700}
MESSAGE = {"role": "assistant", "content": TEXT, "tool_calls": [CALL]}
WRITTEN = {"type": "output_text", "text": TEXT, "annotations": []}
ITEM = {"type": "message", "id": "m", "status": "completed", "content": [WRITTEN]}
FUNCTION = {"type": "function_call", "id": "f", "name": "f", "arguments": '{"a":1}'}

ASKED: dict[str, tuple[Wire, dict[str, Any]]] = {
    "chat": (
        ChatCompletions(),
        {
            "messages": [{"role": "user", "content": "hi"}],
            "stream_options": {"include_usage": True},
        },
    ),
    "completions": (Completions(), {"prompt": "hi", "stream_options": {"include_usage": True}}),
    "responses": (Responses(), {"input": "hi"}),
    "messages": (Messages(), {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "chat": {
        "id": "c",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}],
        "usage": COUNTS,
    },
    "completions": {
        "id": "c",
        "object": "text_completion",
        "choices": [{"index": 0, "text": TEXT, "finish_reason": "stop", "logprobs": None}],
        "usage": COUNTS,
    },
    "responses": {
        "id": "r",
        "object": "response",
        "status": "completed",
        "output": [ITEM, FUNCTION],
        "usage": IN_AND_OUT,
    },
    "messages": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": TEXT},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": IN_AND_OUT,
    },
}
WIRES = list(ASKED)


def a_meter(name: str) -> Meter:
    wire, fields = ASKED[name]
    request = wire.parse(orjson.dumps({"model": "m", "stream": True, **fields}))
    return wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)


def events(passed: bytes) -> list[dict[str, Any]]:
    datas = [event.rpartition(b"data: ")[2] for event in passed.split(b"\n\n") if event]
    return [orjson.loads(data) for data in datas if data != b"[DONE]"]


def told(name: str, document: bytes) -> tuple[Meter, list[dict[str, Any]]]:
    meter = a_meter(name)
    passed = b"".join(map(meter.feed, (document[:5], document[5:90], document[90:])))
    return meter, events(passed + meter.finish())


def text_of(name: str, stream: list[dict[str, Any]]) -> str:
    if name == "responses":
        return "".join(it["delta"] for it in stream if it["type"].endswith("output_text.delta"))
    if name == "messages":
        deltas = [it["delta"] for it in stream if it["type"] == "content_block_delta"]
        return "".join(delta.get("text", "") for delta in deltas)
    choices = [choice for chunk in stream for choice in chunk["choices"]]
    if name == "completions":
        return "".join(choice["text"] for choice in choices)
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("name", WIRES)
def test_a_whole_answer_is_told_as_a_stream_and_counted(name: str) -> None:
    meter, stream = told(name, orjson.dumps(DOCUMENTS[name], option=orjson.OPT_INDENT_2))

    assert text_of(name, stream) == TEXT
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=700)
    assert (meter.complete, meter.error, meter.is_outdated) == (True, None, False)
    assert meter.delivered_tokens >= len(TEXT) // 4
    shown = orjson.dumps(stream)
    assert b'"cost":"1"' in shown
    assert b"0.5" not in shown


def test_what_clients_put_together_is_the_answer() -> None:
    chunks, blocks, items = (
        told(n, orjson.dumps(DOCUMENTS[n]))[1] for n in (WIRES[0], *WIRES[3:], WIRES[2])
    )

    [first, *_, end, usage] = chunks
    assert first["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **CALL}]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert end["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    assert usage["choices"] == []
    deltas = [event["delta"] for event in blocks if event["type"] == "content_block_delta"]
    assert deltas[1] == {"type": "signature_delta", "signature": "s"}
    assert deltas[-1] == {"type": "input_json_delta", "partial_json": '{"a":1}'}
    assert blocks[-2]["delta"]["stop_reason"] == "tool_use"
    assert [event["sequence_number"] for event in items] == list(range(len(items)))
    assert items[-1]["type"] == "response.completed"
    assert items[-1]["response"]["output"] == [ITEM, FUNCTION]


@pytest.mark.parametrize("name", WIRES)
def test_it_leaves_as_far_as_it_is_paid_for(name: str) -> None:
    meter = a_meter(name)
    meter.budget = 300
    passed = meter.feed(orjson.dumps(DOCUMENTS[name])) + meter.finish()

    assert meter.starved
    assert 0 < len(text_of(name, events(passed))) <= 1_200
    meter.budget = None
    rest = meter.feed(b"") + meter.finish()
    assert text_of(name, events(passed + rest)) == TEXT
    assert meter.complete


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"error":{"message":"Died.","code":500}}', "Died."),
        (b'{"message":"Died.","code":503}', "Died."),
        (b'{"hello":1}', "The answer broke off."),
        (b'{"choices":[{"mess', "The answer broke off."),
        (b" \n ", "The answer broke off."),
    ],
)
def test_what_is_no_answer_is_an_error(name: str, document: bytes, message: str) -> None:
    meter, stream = told(name, document)

    assert (meter.error, meter.complete, meter.delivered_tokens) == (message, False, 0)
    assert message in orjson.dumps(stream).decode()


@pytest.mark.parametrize("name", WIRES)
def test_no_document_grows_without_bound(name: str) -> None:
    meter = a_meter(name)

    for _ in range(9):
        meter.feed(b"{" * 1024 * 1024)
    meter.finish()

    assert meter.error == "The answer cannot be read."
