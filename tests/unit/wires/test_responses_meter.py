from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.responses_meter import ResponseDocumentMeter, ResponseStreamMeter
from adapters.wires.public import read_object
from creditcore.domain.pricing import Usage
from tests.unit.wires.recordings import VERSIONS, body_of


def a_meter() -> ResponseStreamMeter:
    return ResponseStreamMeter(
        receipt=lambda _usage: {"cost": "0.1", "balance": "7"}, explain=failure_within
    )


def data(kind: str, **facts: Any) -> bytes:
    return b"data: " + orjson.dumps({"type": kind, **facts}) + b"\n\n"


def event(kind: str, **facts: Any) -> bytes:
    return b"event: " + kind.encode() + b"\n" + data(kind, **facts)


def text(piece: str, at: int = 0) -> dict[str, Any]:
    return {"kind": "response.output_text.delta", "output_index": at, "delta": piece}


def ended(kind: str = "response.completed", **response: Any) -> bytes:
    return data(kind, response={"id": "resp_1", "output": [], **response})


def documents(passed: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(part.partition(b"data: ")[2]) for part in passed.split(b"\n\n") if part]


USAGE = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}


def test_usage_of_the_last_event_is_read() -> None:
    meter = a_meter()
    details = {
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 30},
        "output_tokens_details": {"reasoning_tokens": 20},
    }

    meter.feed(ended(usage=USAGE | details))

    assert meter.complete
    assert meter.usage == Usage(
        prompt_tokens=100,
        completion_tokens=50,
        cached_tokens=40,
        cache_write_tokens=30,
        reasoning_tokens=20,
    )


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_the_receipt_stands_beside_the_usage(kind: str) -> None:
    [last] = documents(a_meter().feed(ended(kind, usage=USAGE | {"cost": 3.5})))

    assert last["response"]["usage"] == USAGE | {"cost": "0.1", "balance": "7"}


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], "x", {"input_tokens": 0, "output_tokens": -1}],
)
def test_usage_that_cannot_be_true_is_none(usage: Any) -> None:
    meter = a_meter()

    meter.feed(data(**text("12345678")) + ended(usage=usage))

    assert meter.usage is None
    assert meter.complete
    assert meter.delivered_tokens == 2


def test_a_response_that_was_never_streamed_is_counted_at_its_end() -> None:
    meter = a_meter()
    output = [
        {"type": "message", "content": [{"type": "output_text", "text": "12345678"}]},
        {"type": "function_call", "name": "find", "arguments": "{}"},
    ]

    meter.feed(ended(output=output))

    assert meter.delivered_tokens == 4  # 8, and 4 + 2 bytes


def test_a_nameless_event_gets_its_name_and_keeps_its_bytes() -> None:
    assert a_meter().feed(data(**text("a"))) == event(**text("a"))


def test_what_openai_itself_sends_passes_untouched() -> None:
    stream = event("response.created", response={"id": "resp_1"}) + event(**text("a"))

    assert a_meter().feed(stream) == stream


def test_done_is_taken_out() -> None:
    assert a_meter().feed(b"data: [DONE]\n\n") == b""


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error": {"message": "litellm.APIError: gone", "code": "500"}}\n\n',
        data("error", code="server_error", message="litellm.APIError: gone"),
        data("error", error={"message": "litellm.APIError: gone"}),
    ],
)
def test_any_error_becomes_one_that_sdks_raise(frame: bytes) -> None:
    meter = a_meter()
    meter.feed(data(**text("a"), sequence_number=4))

    [error, failed] = documents(meter.feed(frame))

    assert (error["type"], error["message"], error["sequence_number"]) == ("error", "gone", 5)
    assert error["error"]["message"] == "gone"
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 6)
    assert failed["response"]["error"] == {"code": "server_error", "message": "gone"}
    assert (meter.error, meter.complete) == ("gone", False)


def test_a_failed_response_is_told_in_words_fit_to_be_shown() -> None:
    meter = a_meter()
    error = {"code": "server_error", "message": "litellm.APIError: gone at http://10.0.0.1"}

    [failed] = documents(meter.feed(ended("response.failed", error=error)))

    assert failed["response"]["error"] == {
        "code": "server_error",
        "message": "gone at [removed]",
    }
    assert meter.error == "gone at [removed]"


def test_a_stream_without_an_end_gets_an_error() -> None:
    meter = a_meter()
    meter.feed(data(**text("a")))

    [error, failed] = documents(meter.finish())

    assert error["error"]["message"] == "The answer broke off."
    assert failed["response"]["status"] == "failed"


def test_a_response_fails_once_with_the_head_that_it_began_with() -> None:
    meter = a_meter()
    meter.feed(data("response.created", response={"id": "resp_1", "model": "m"}))

    [_, failed] = documents(meter.feed(data("error", error={"message": "gone"})))
    repeated = meter.feed(ended("response.failed", error={"message": "gone"}))

    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_1", "failed")
    assert repeated == b""


@pytest.mark.parametrize(
    "kind",
    [
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    ],
)
def test_what_was_written_is_counted(kind: str) -> None:
    meter = a_meter()

    meter.feed(data(kind, delta="12345") + data(kind, delta=None) + data(kind, delta=[1]))

    assert meter.delivered_tokens == 2


def test_cut_short_it_keeps_what_was_delivered_and_nothing_more() -> None:
    meter = a_meter()
    meter.budget = 3
    done = {"type": "message", "id": "a", "status": "completed", "content": []}
    open_text = {"type": "message", "id": "b", "status": "in_progress", "content": []}
    call = {"type": "function_call", "id": "c", "status": "in_progress", "arguments": ""}
    meter.feed(
        data("response.created", response={"id": "resp_1", "model": "m"}, sequence_number=0)
        + data("response.output_item.done", output_index=0, item=done)
        + data("response.output_item.added", output_index=1, item=open_text)
        + data("response.output_item.added", output_index=2, item=call)
        + data(**text("one ", 1))
        + data(**text("two ", 1))
        + data(**text("six ", 1), sequence_number=9)
        + data(**text("never", 1))
    )

    [end] = documents(meter.cut_short("The credits ran out."))

    assert (end["type"], end["sequence_number"]) == ("response.incomplete", 10)
    assert end["notice"]["message"] == "The credits ran out."
    response = end["response"]
    assert (response["id"], response["status"]) == ("resp_1", "incomplete")
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    kept, cut = response["output"]
    assert kept == done
    assert cut["status"] == "incomplete"
    assert cut["content"][0]["text"] == "one two six "


# Documents


def a_document(body: bytes) -> tuple[dict[str, Any], ResponseDocumentMeter]:
    meter = ResponseDocumentMeter(explain=failure_within)
    assert meter.feed(body) == b""
    return read_object(meter.finish()), meter


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_document_loses_its_cost_and_nothing_else(version: str) -> None:
    body = body_of(version, "responses")

    shown, meter = a_document(body)

    sent = orjson.loads(body)
    del sent["usage"]["cost"]
    assert shown == sent
    assert meter.usage is not None
    assert meter.usage.prompt_tokens == 19
    assert meter.complete


def test_output_is_counted_where_usage_is_missing() -> None:
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "1234"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "12345678"}]},
        {"type": "custom_tool_call", "name": "find", "input": "1234"},
    ]

    _, meter = a_document(orjson.dumps({"output": output}))

    assert meter.usage is None
    assert meter.delivered_tokens == 5


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"error": {"message": "x"}}'])
def test_what_is_no_response_is_a_failure(body: bytes) -> None:
    shown, meter = a_document(body)

    assert shown == {}
    assert meter.failure is not None
    assert not meter.complete
