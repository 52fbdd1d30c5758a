"""What comes behind a complete answer is none of it: told, it would be asked for again."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter, Wire
from tests.unit.relaying import SECRET, a_scene

HELLO = [{"role": "user", "content": "hello"}]
LATE = {"message": "litellm.APIConnectionError: late", "type": "api_error", "code": 500}


def event(document: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def chunk(finish_reason: str | None, *, index: int = 0) -> dict[str, Any]:
    said = {"delta": {"content": "hi"}, "text": "hi"}
    return {"id": "c", "choices": [{"index": index, "finish_reason": finish_reason, **said}]}


CHUNKS = [chunk(None), chunk("stop")]
MESSAGE = [
    {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 9}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 5},
    },
]
STOP = {"type": "message_stop"}
RESPONSE = [
    {"type": "response.output_text.delta", "output_index": 0, "delta": "hi"},
    {"type": "response.completed", "response": {"id": "r", "output": []}},
]
WHOLE: list[tuple[Wire, dict[str, Any], list[dict[str, Any]]]] = [
    (ChatCompletions(), {"messages": HELLO}, CHUNKS),
    (ChatCompletions(), {"messages": HELLO, "n": 2}, [*CHUNKS, chunk("length", index=1)]),
    (Completions(), {"prompt": "hello"}, CHUNKS),
    (Messages(), {"messages": HELLO, "max_tokens": 9}, MESSAGE),
    (Messages(), {"messages": HELLO, "max_tokens": 9}, [*MESSAGE, STOP]),
    (Responses(), {"input": "hello"}, RESPONSE),
]


def a_meter(wire: Wire, fields: dict[str, Any]) -> Meter:
    request = wire.parse(orjson.dumps({"model": "m", "stream": True, **fields}))
    return wire.meter(request, receipt=lambda _: {}, explain=failure_within)


@pytest.mark.parametrize("late", [{"error": LATE}, {"type": "error", "error": LATE}])
@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
def test_an_error_behind_an_answer_is_not_told(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]], late: dict[str, Any]
) -> None:
    cut, troubled = a_meter(wire, fields), a_meter(wire, fields)

    whole = b"".join([cut.feed(event(each)) for each in answer]) + cut.finish()
    given = b"".join([troubled.feed(event(each)) for each in [*answer, late]]) + troubled.finish()

    assert given == whole
    assert (troubled.complete, troubled.error) == (True, None)


@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
def test_an_error_before_its_end_is(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]]
) -> None:
    meter = a_meter(wire, fields)

    given = meter.feed(event(answer[0])) + meter.feed(event({"error": LATE})) + meter.finish()

    assert b'"late' in given
    assert (meter.complete, meter.error) == (False, "late")


@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
def test_an_answer_that_is_cut_off_behind_its_end_is_whole(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]]
) -> None:
    """Counted or not: where no usage came any more, what was delivered is charged."""
    body = orjson.dumps({"model": "demo", "stream": True, **fields})
    given = []
    for last in (b"", UpstreamUnavailableError()):
        with a_scene() as scene:
            scene.script(*map(event, answer), last)
            prepared = scene.relay.prepare(wire, body, call_id="call-1")
            given.append(list(scene.relay.open(wire, prepared, secret=SECRET)))
            ended = scene.hold.outcome

        assert ended is not None
        assert (ended.status, ended.error) == (200, None)
    assert given[0] == given[1]


@pytest.mark.parametrize("error", [None, LATE])
@pytest.mark.parametrize("kind", ["response.failed", "response.cancelled", "response.completed"])
def test_a_second_end_of_a_response_is_not_told(kind: str, error: dict[str, Any] | None) -> None:
    cut, troubled = (a_meter(Responses(), {"input": "hello"}) for _ in range(2))
    late = {"type": kind, "response": {"id": "r", "output": [], "error": error}}

    whole = b"".join([cut.feed(event(each)) for each in RESPONSE]) + cut.finish()
    given = b"".join([troubled.feed(event(each)) for each in [*RESPONSE, late]])

    assert given + troubled.finish() == whole
    assert (troubled.complete, troubled.error) == (True, None)


def test_counts_behind_the_end_of_a_response_are_its_own_where_it_had_none() -> None:
    meter = a_meter(Responses(), {"input": "hello"})
    for tokens in (5, 0):
        usage = {"input_tokens": 9, "output_tokens": tokens}
        late = {"type": "response.done", "response": {"id": "r", "usage": usage}}
        meter.feed(b"".join(map(event, [*RESPONSE, late])))

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5)


def counts(read: int, written: int) -> dict[str, int]:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "input_tokens": read,
        "output_tokens": written,
    }


LATE_COUNTS: list[tuple[Wire, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (ChatCompletions(), {"messages": HELLO}, chunk("stop"), {"choices": []}),
    (ChatCompletions(), {"messages": HELLO}, chunk("stop"), {"error": LATE}),
    (Completions(), {"prompt": "hello"}, chunk("stop"), {"choices": []}),
    (
        Messages(),
        {"messages": HELLO, "max_tokens": 9},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "error", "error": LATE},
    ),
    (
        Responses(),
        {"input": "hello"},
        {"type": "response.completed", "response": {"id": "r", "output": []}},
        {"type": "error", "error": LATE},
    ),
]


@pytest.mark.parametrize(("wire", "fields", "last", "late"), LATE_COUNTS)
def test_what_was_told_at_the_end_is_charged_whatever_is_counted_behind_it(
    wire: Wire, fields: dict[str, Any], last: dict[str, Any], late: dict[str, Any]
) -> None:
    done = b"data: [DONE]\n\n" if "choices" in last else b""
    for told, charged in ((counts(9, 5), (9, 5)), (None, (90, 50))):
        meter = a_meter(wire, fields)
        response = last.get("response")
        end = {**last, "response": {**response, "usage": told}} if response else last

        meter.feed(event({**end, "usage": told}) + done)
        meter.feed(event({**late, "usage": counts(90, 50)}))

        assert meter.usage == Usage(prompt_tokens=charged[0], completion_tokens=charged[1])


@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
def test_counts_that_come_with_an_error_are_charged(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]]
) -> None:
    meter = a_meter(wire, fields)

    given = meter.feed(event(answer[0]) + event({"error": LATE, "usage": counts(90, 50)}))

    assert b'"late' in given
    assert meter.usage == Usage(prompt_tokens=90, completion_tokens=50)


@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_last_event_counts_without_the_empty_line_behind_it(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]], end: bytes
) -> None:
    ended, unended = a_meter(wire, fields), a_meter(wire, fields)
    *_, last = answer
    if "choices" in last:
        answer = [*answer, {"choices": [], "usage": counts(9, 5)}]
    elif "response" in last:
        answer = [*answer[:-1], {**last, "usage": counts(9, 5)}]
    events = [event(each) for each in answer]
    cut = [*events[:-1], events[-1].rstrip(b"\n") + end]

    whole = b"".join(map(ended.feed, events)) + ended.finish()
    given = b"".join(map(unended.feed, cut)) + unended.finish()

    assert given == whole
    assert unended.usage == ended.usage == Usage(prompt_tokens=9, completion_tokens=5)
    assert (unended.complete, unended.error) == (True, None)


@pytest.mark.parametrize(("wire", "fields", "answer"), WHOLE)
def test_an_event_that_is_cut_off_within_never_was(
    wire: Wire, fields: dict[str, Any], answer: list[dict[str, Any]]
) -> None:
    meter = a_meter(wire, fields)

    given = meter.feed(event(answer[0]) + event(answer[1])[:-3]) + meter.finish()

    assert b"broke off" in given
    assert meter.error == "The answer broke off."


def test_the_end_of_a_chat_needs_no_empty_line_either() -> None:
    meter = a_meter(ChatCompletions(), {"messages": HELLO})

    given = meter.feed(event(chunk(None)) + b"data: [DONE]") + meter.finish()

    assert given.endswith(b"data: [DONE]\n\n")
    assert given.count(b"[DONE]") == 1
    assert (meter.complete, meter.error) == (True, None)
