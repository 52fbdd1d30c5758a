from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.faults import failure_within
from adapters.wires.openai.completion_meter import CompletionDocumentMeter, CompletionStreamMeter
from adapters.wires.openai.completions import Completions
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Wire
from tests.unit.wires.asking import Asking
from tests.unit.wires.recordings import VERSIONS, body_of

wire: Wire = Completions()
asking = Asking(wire, {"prompt": "hello"})
parse, refused, sent = asking.parse, asking.refused, asking.sent


# Requests


def test_the_limit_that_is_held_is_sent() -> None:
    request = parse()

    assert request.output_limit == 16
    assert sent(request) == {"stream": False, "model": "m", "prompt": "hello", "max_tokens": 16}


@pytest.mark.parametrize(
    ("prompt", "count", "estimate"),
    [
        ("12345678", 1, 2),
        (["1234", "12345"], 2, 3),
        ([1, 2, 3], 1, 3),
        ([[1, 2], [3]], 2, 3),
    ],
)
def test_prompts_of_every_kind_are_counted(prompt: Any, count: int, estimate: int) -> None:
    request = parse(prompt=prompt)

    assert (request.prompts, request.prompt_estimate) == (count, estimate)
    assert request.prompt_bound is not None
    assert request.prompt_bound >= estimate
    assert sent(request)["prompt"] == prompt


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": 2, "best_of": 5}, 5),
        ({"n": 2, "prompt": ["a", "b", "c"]}, 6),
        ({"best_of": 4, "prompt": ["a", "b"]}, 8),
    ],
)
def test_everything_that_is_written_is_paid_for(fields: dict[str, Any], choices: int) -> None:
    assert parse(**fields).choices == choices


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("suffix", "END"),
        ("echo", True),
        ("logprobs", 5),
        ("stop", ["a", "b"]),
        ("logit_bias", {"50256": -100}),
        ("temperature", 0.5),
        ("seed", 7),
    ],
)
def test_field_is_forwarded_as_it_is(name: str, value: Any) -> None:
    assert sent(parse(**{name: value}))[name] == value


def test_an_echo_may_write_nothing() -> None:
    request = parse(echo=True, max_tokens=0)

    assert request.output_limit == 0
    assert sent(request, 0)["max_tokens"] == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": [[1], "a"]}, "prompt[1]"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": [True]}, "prompt[0]"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 3, "best_of": 2}, "best_of"),
        ({"stream": True, "best_of": 2}, "best_of"),
        ({"stream": True, "echo": True}, "echo"),
        ({"echo": "yes"}, "echo"),
        ({"logprobs": True}, "logprobs"),
        ({"api_base": "http://x"}, "api_base"),
        ({"mock_response": "x"}, "mock_response"),
        ({"messages": ["x"]}, "messages"),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


def test_usage_is_always_asked_for_in_streams() -> None:
    assert sent(parse(stream=True))["stream_options"] == {"include_usage": True}


# Streams


def in_text(stream: bytes) -> bytes:
    """Turn a recorded stream of chat into one of text."""
    return (
        stream.replace(b'"delta":{"role":"assistant","content":', b'"delta":{"content":')
        .replace(b'"delta":{"content":"token', b'"text":"token')
        .replace(b'"}}]', b'"}]')
        .replace(b'"delta":{}', b'"text":""')
    )


def a_meter(*, wants_usage: bool = False, choices: int = 1) -> CompletionStreamMeter:
    return CompletionStreamMeter(
        wants_usage=wants_usage,
        choices=choices,
        receipt=lambda _usage: {"cost": "0.1"},
        explain=failure_within,
    )


def outcome(meter: CompletionStreamMeter, *pieces: bytes) -> tuple[Any, ...]:
    passed = b"".join([meter.feed(piece) for piece in pieces]) + meter.finish()
    return passed, meter.usage, meter.delivered_tokens, meter.complete, meter.error


@pytest.mark.parametrize("wants_usage", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stream_cut_anywhere_gives_the_same(version: str, *, wants_usage: bool) -> None:
    stream = in_text(body_of(version, "chat-stream-usage"))
    whole = outcome(a_meter(wants_usage=wants_usage), stream)

    for cut in range(1, len(stream)):
        assert outcome(a_meter(wants_usage=wants_usage), stream[:cut], stream[cut:]) == whole
    passed, usage, delivered, complete, error = whole
    assert usage == Usage(prompt_tokens=19, completion_tokens=4)
    assert (delivered, complete, error) == (7, True, None)
    assert (b'"usage"' in passed) is wants_usage
    assert passed.count(b"token ") == 4


@given(st.data())
def test_a_stream_in_any_pieces_gives_the_same(data: st.DataObject) -> None:
    stream = in_text(body_of(VERSIONS[0], "chat-stream-usage"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=40)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert outcome(a_meter(), *pieces) == outcome(a_meter(), stream)


def test_cut_short_every_choice_reached_its_limit() -> None:
    meter = a_meter(choices=2)
    meter.feed(b'data: {"id": "c", "choices": [{"index": 0, "text": "a"}]}\n\n')

    events = meter.cut_short("The credits ran out.").split(b"\n\n")

    chunks = [orjson.loads(line.removeprefix(b"data: ")) for line in events[:-2]]
    assert {chunk["choices"][0]["index"] for chunk in chunks} == {0, 1}
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {"length"}
    assert {chunk["choices"][0]["text"] for chunk in chunks} == {""}
    assert chunks[-1]["notice"]["message"] == "The credits ran out."


def test_a_document_passes_byte_for_byte() -> None:
    meter = CompletionDocumentMeter(explain=failure_within)
    body = orjson.dumps(
        {
            "choices": [{"index": 0, "text": "12345678"}, {"index": 1, "text": "1234"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3},
        }
    )

    meter.feed(body)

    assert meter.finish() == body
    assert meter.delivered_tokens == 3
    assert meter.usage == Usage(prompt_tokens=5, completion_tokens=3)


def test_the_last_event_of_a_stream_has_a_text() -> None:
    meter = CompletionStreamMeter(
        wants_usage=True, choices=1, receipt=lambda _usage: {}, explain=failure_within
    )

    forward = meter.feed(
        b'data: {"choices":[{"index":0,"text":"Hi"}]}\n\n'
        b'data: {"choices":[{"index":0,"finish_reason":"stop"}]}\n\n'
    )

    assert b'"text":""' in forward
    assert meter.delivered_tokens == 1
