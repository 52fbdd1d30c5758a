"""Recorded streams of messages and responses: whole, cut anywhere, in any pieces."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.responses import Responses
from adapters.wires.sse import SseEvent, SseSplitter
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter, Wire
from tests.unit.wires.recordings import (
    MESSAGES_STREAMS,
    RESPONSES_STREAMS,
    VERSIONS,
    body_of,
)

Recorded = tuple[str, str, str]

_WIRES: dict[str, tuple[Wire, dict[str, Any]]] = {
    "messages": (
        Messages(),
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
    ),
    "responses": (Responses(), {"input": "x"}),
}
_STREAMS = {"messages": MESSAGES_STREAMS, "responses": RESPONSES_STREAMS}
_RECORDED = [
    (protocol, version, name)
    for protocol, names in _STREAMS.items()
    for version in VERSIONS
    for name in names
]
_WHOLE = [recorded for recorded in _RECORDED if not recorded[2].endswith("-error")]
_BROKEN = [recorded for recorded in _RECORDED if recorded[2].endswith("-error")]
_SECRET = re.compile(
    rb'"(?!cost")[a-z_]*cost[a-z_]*"|https?://|127\.0\.0\.1|localhost|sk-|litellm|OpenAIException'
    rb"|Traceback|bGl0ZWxsbT",  # the last is litellm: in base64
    re.IGNORECASE,
)


def a_meter(protocol: str) -> Meter:
    wire, fields = _WIRES[protocol]
    request = wire.parse(orjson.dumps({"model": "m", "stream": True, **fields}))
    return wire.meter(
        request,
        receipt=lambda usage: {"cost": f"0.{usage.completion_tokens}", "balance": "7"},
        explain=failure_within,
    )


def outcome(protocol: str, *pieces: bytes) -> tuple[Any, ...]:
    meter = a_meter(protocol)
    passed = b"".join([meter.feed(piece) for piece in pieces]) + meter.finish()
    return passed, meter.usage, meter.delivered_tokens, meter.complete, meter.error


def documents(passed: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(event.data or b"{}") for event in events_of(passed)]


def events_of(passed: bytes) -> list[SseEvent]:
    return [SseEvent.of(raw) for raw in SseSplitter().feed(passed)]


@pytest.mark.parametrize(("protocol", "version", "name"), _RECORDED)
def test_cut_anywhere_it_gives_the_same(protocol: str, version: str, name: str) -> None:
    stream = body_of(version, name)
    whole = outcome(protocol, stream)

    for cut in range(1, len(stream)):
        assert outcome(protocol, stream[:cut], stream[cut:]) == whole


@given(st.sampled_from(_RECORDED), st.data())
def test_in_any_pieces_it_gives_the_same(recorded: Recorded, data: st.DataObject) -> None:
    protocol, version, name = recorded
    stream = body_of(version, name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=40)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert outcome(protocol, *pieces) == outcome(protocol, stream)


@pytest.mark.parametrize(("protocol", "version", "name"), _WHOLE)
def test_usage_is_read_and_told_with_its_cost(protocol: str, version: str, name: str) -> None:
    # One of the recordings was made with a longer answer.
    written = 16 if (version, name) in _LONGER else 4

    passed, usage, _, complete, error = outcome(protocol, body_of(version, name))

    assert usage == Usage(prompt_tokens=19, completion_tokens=written)
    assert (complete, error) == (True, None)
    [told] = [
        found
        for document in documents(passed)
        for found in (document.get("usage"), document.get("response", {}).get("usage"))
        if found and "cost" in found
    ]
    assert (told["cost"], told["balance"]) == (f"0.{written}", "7")
    assert told["output_tokens"] == written


_LONGER = {("1.102.4", "messages-stream"), ("1.102.4", "responses-stream")}


@pytest.mark.parametrize(("protocol", "version", "name"), _BROKEN)
def test_a_broken_stream_has_no_output_reported_and_is_counted(
    protocol: str, version: str, name: str
) -> None:
    _, usage, delivered, _, error = outcome(protocol, body_of(version, name))

    assert usage is None or usage.completion_tokens == 0
    assert delivered == 9  # "token 0" to "token 4": 35 bytes
    # This one LiteLLM ends like a whole one, but for its counts.
    assert error is not None or (version, name) == ("1.91.5", "messages-stream-error")


@pytest.mark.parametrize(("protocol", "version", "name"), _RECORDED)
def test_nothing_of_the_operators_is_forwarded(protocol: str, version: str, name: str) -> None:
    passed, *_ = outcome(protocol, body_of(version, name))

    assert _SECRET.search(passed) is None


@pytest.mark.parametrize(("protocol", "version", "name"), _RECORDED)
def test_every_event_has_the_name_of_its_type(protocol: str, version: str, name: str) -> None:
    passed, *_ = outcome(protocol, body_of(version, name))

    events = events_of(passed)
    assert all(event.name == orjson.loads(event.data or b"{}")["type"] for event in events)


@pytest.mark.parametrize("version", VERSIONS)
def test_deltas_pass_byte_for_byte(version: str) -> None:
    for protocol, names in _STREAMS.items():
        stream = body_of(version, names[0])
        deltas = [line for line in stream.split(b"\n") if b"token " in line and b"delta" in line]

        passed, *_ = outcome(protocol, stream)

        assert all(line in passed for line in deltas)


@given(st.sampled_from(["messages", "responses"]), st.binary(max_size=300))
def test_any_bytes_do_not_raise(protocol: str, noise: bytes) -> None:
    _, usage, *_ = outcome(protocol, b"data: " + noise + b"\n\n")

    assert usage is None


@given(
    st.sampled_from(["messages", "responses"]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "usage", "message", "response", "delta", "output", "index", "error"]
                ),
                children
                | st.sampled_from(
                    ["message_start", "message_delta", "response.created", "response.completed"]
                ),
                max_size=5,
            )
        ),
        max_leaves=12,
    ),
)
def test_any_json_does_not_raise(protocol: str, noise: object) -> None:
    outcome(protocol, b"data: " + orjson.dumps(noise) + b"\n\n")
