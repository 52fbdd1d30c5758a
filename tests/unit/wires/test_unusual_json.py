"""Answers that are not quite JSON, which clients read all the same: they are metered too."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.public import read_object
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter
from tests.unit.wires.asking import Asking

asking = Asking(ChatCompletions(), {"messages": [{"role": "user", "content": "hi"}]})
USAGE = b'"usage":{"prompt_tokens":9,"completion_tokens":5}'
CUT_IN_TWO = [b'"\\ud83d"', b'"\\ude00"']
UNUSUAL = [
    *CUT_IN_TWO,
    b'"half \xf0\x9f"',
    b'"ok","logprobs":NaN',
    b'"ok","logprobs":[-Infinity,1e400]',
]


def a_meter(*, stream: bool) -> Meter:
    request = asking.parse(stream=stream)
    return asking.wire.meter(request, receipt=lambda _: {}, explain=failure_within)


@pytest.mark.parametrize("content", UNUSUAL)
def test_an_event_that_is_not_quite_json_passes_and_counts(content: bytes) -> None:
    meter = a_meter(stream=True)
    piece = b'data: {"choices":[{"index":0,"delta":{"content":%b}}]}\n\n' % content
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'

    given = meter.feed(piece + end)

    assert given == piece + end
    assert meter.delivered_tokens >= 1
    assert meter.complete


@pytest.mark.parametrize("content", UNUSUAL)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_document_that_is_not_quite_json_passes_and_is_charged(
    content: bytes, mark: bytes
) -> None:
    plain = a_meter(stream=False)
    choice = b'{"index":0,"message":{"content":%b},"finish_reason":"stop"}' % content
    body = mark + b'{"choices":[%b],%b}' % (choice, USAGE)

    plain.feed(body)

    assert plain.finish() == body
    assert plain.usage == Usage(prompt_tokens=9, completion_tokens=5)


def test_a_document_behind_a_mark_stands_for_the_stream_that_was_asked_for() -> None:
    meter = a_meter(stream=True)
    choice = b'{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}'

    meter.feed(b"\xef\xbb\xbf" + b'{"choices":[%b],%b}' % (choice, USAGE))

    assert b'"ok"' in meter.finish()
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (
            b'{"a":"\\ud83d","b":NaN,"c":1.5}',
            {"a": "\N{REPLACEMENT CHARACTER}", "b": None, "c": 1.5},
        ),
        (b'[{"a":Infinity}]', {"a": None}),
        (b'{"a":NaN', {}),
        (b'{"a":' + b"[" * 100_000, {}),
        (b'{"a":NaN,"b":' + b"9" * 5_000 + b"}", {}),
        (b"NaN", {}),
        (b"\xef\xbb\xbf", {}),
    ],
)
def test_what_is_meant_is_read(data: bytes, value: dict[str, Any]) -> None:
    assert read_object(data) == value
