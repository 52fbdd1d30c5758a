from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages_meter import MessagesDocumentMeter, MessagesStreamMeter
from creditcore.domain.pricing import Usage
from tests.unit.wires.recordings import VERSIONS, body_of


def a_meter() -> MessagesStreamMeter:
    return MessagesStreamMeter(
        receipt=lambda _usage: {"cost": "0.1", "balance": "7"}, explain=failure_within
    )


def event(kind: str, **facts: Any) -> bytes:
    data = orjson.dumps({"type": kind, **facts})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def start(**usage: Any) -> bytes:
    return event("message_start", message={"id": "msg_1", "content": [], "usage": usage})


def text(piece: str, index: int = 0) -> bytes:
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})


def end(**usage: Any) -> bytes:
    return event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)


STOP = event("message_stop")


def documents(passed: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(part.partition(b"data: ")[2]) for part in passed.split(b"\n\n") if part]


# Usage


def test_cache_tokens_stand_beside_the_input() -> None:
    meter = a_meter()

    meter.feed(start(input_tokens=10, cache_read_input_tokens=40, output_tokens=1))
    meter.feed(text("hi") + end(output_tokens=5, cache_creation_input_tokens=30) + STOP)

    assert meter.usage == Usage(
        prompt_tokens=80, completion_tokens=5, cached_tokens=40, cache_write_tokens=30
    )


def test_writes_for_an_hour_are_told_apart() -> None:
    by_time = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
    meter = a_meter()

    meter.feed(start(input_tokens=5, cache_creation_input_tokens=30, cache_creation=by_time))
    meter.feed(end(output_tokens=1) + STOP)

    assert meter.usage == Usage(
        prompt_tokens=35, completion_tokens=1, cache_write_tokens=30, cache_write_1h_tokens=20
    )


def test_of_each_count_the_highest_is_right() -> None:
    meter = a_meter()

    meter.feed(start(input_tokens=0, output_tokens=0) + text("a"))
    meter.feed(end(input_tokens=9, output_tokens=3) + end(output_tokens=7) + STOP)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=7)


def test_the_beginning_alone_reports_what_was_read() -> None:
    meter = a_meter()

    meter.feed(start(input_tokens=9, output_tokens=1) + text("a"))

    assert meter.usage == Usage(prompt_tokens=9)
    assert meter.is_outdated


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": -1, "output_tokens": 0},
        {"input_tokens": "nine"},
        {"input_tokens": 10**15},
    ],
)
def test_usage_that_cannot_be_true_gives_way_to_our_count(usage: dict[str, Any]) -> None:
    meter = a_meter()

    passed = meter.feed(text("12345678") + end(**usage) + STOP)

    assert meter.usage is None
    assert meter.complete
    assert documents(passed)[1]["usage"] == {"output_tokens": 2}


def test_the_operators_cost_gives_way_to_the_clients() -> None:
    passed = a_meter().feed(start(input_tokens=9, cost=3.5) + end(output_tokens=5, cost=3.5))

    begun, ended = documents(passed)
    assert begun["message"]["usage"] == {"input_tokens": 9}
    assert ended["usage"] == {"output_tokens": 5, "cost": "0.1", "balance": "7"}


# Events


def test_a_second_beginning_is_taken_out() -> None:
    assert a_meter().feed(start() + start() + text("a")) == start() + text("a")


def test_a_nameless_event_gets_its_name() -> None:
    nameless = text("a").partition(b"\n")[2]

    assert a_meter().feed(nameless) == text("a")


def test_unknown_events_pass_as_they_came() -> None:
    news = event("ping") + event("content_block_news", index=0, anything=[1])

    assert a_meter().feed(b": comment\n\n" + news) == b": ping\n\n" + news


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'data: {"error": {"message": "litellm.APIError: gone", "code": "500"}}', "api_error"),
        (b'data: {"error": {"type": "budget_exceeded", "message": "x"}}', "api_error"),
        (
            b"event: error\ndata: "
            + orjson.dumps(
                {"error": {"type": "overloaded_error", "message": "Busy at http://10.0.0.1"}}
            ),
            "overloaded_error",
        ),
    ],
)
def test_any_error_becomes_one_that_sdks_see(frame: bytes, kind: str) -> None:
    meter = a_meter()

    passed = meter.feed(frame + b"\n\n")

    assert passed.startswith(b"event: error\n")
    [error] = documents(passed)
    assert (error["type"], error["error"]["type"]) == ("error", kind)
    assert b"litellm" not in passed
    assert b"10.0.0.1" not in passed
    assert not meter.complete


def test_a_stream_without_an_end_gets_an_error() -> None:
    meter = a_meter()
    meter.feed(start() + text("a"))

    [error] = documents(meter.finish())

    assert error["error"] == {"type": "api_error", "message": "The answer broke off."}
    assert meter.error == "The answer broke off."


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"type": "text_delta", "text": "12345"}, 2),
        ({"type": "thinking_delta", "thinking": "12345678"}, 2),
        ({"type": "input_json_delta", "partial_json": '{"a":1}'}, 2),
        ({"type": "signature_delta", "signature": "x" * 400}, 0),
        (None, 0),
        ("text", 0),
    ],
)
def test_what_was_written_is_counted(delta: Any, tokens: int) -> None:
    meter = a_meter()

    meter.feed(event("content_block_delta", index=0, delta=delta))

    assert meter.delivered_tokens == tokens


# What is paid for


def test_cut_short_it_closes_what_is_open_and_reached_its_limit() -> None:
    meter = a_meter()
    meter.budget = 2
    block = {"type": "text", "text": ""}
    begun = start() + event("content_block_start", index=0, content_block=block)
    closed = event("content_block_stop", index=0)
    second = event("content_block_start", index=1, content_block=block)

    passed = meter.feed(begun + text("a") + closed + second + text("b", 1) + text("c", 1))

    assert passed == begun + text("a") + closed + second + text("b", 1)
    assert meter.starved
    stopped, limit, stop = documents(meter.cut_short("The credits ran out."))
    assert stopped == {"type": "content_block_stop", "index": 1}
    assert limit["delta"]["stop_reason"] == "max_tokens"
    assert limit["usage"] == {"output_tokens": 2}
    assert limit["notice"]["message"] == "The credits ran out."
    assert stop == {"type": "message_stop"}


# Documents


def a_document(body: bytes) -> tuple[bytes, MessagesDocumentMeter]:
    meter = MessagesDocumentMeter(explain=failure_within)
    assert meter.feed(body) == b""
    return meter.finish(), meter


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_of_anthropic_passes_byte_for_byte(version: str) -> None:
    body = body_of(version, "messages-claude")

    passed, meter = a_document(body)

    assert passed == body
    assert meter.usage == Usage(prompt_tokens=19, completion_tokens=4)
    assert meter.complete


@pytest.mark.parametrize("version", VERSIONS)
def test_an_id_that_tells_the_route_gives_way_to_the_providers(version: str) -> None:
    body = body_of(version, "messages")

    passed, meter = a_document(body)

    shown, sent = orjson.loads(passed), orjson.loads(body)
    assert shown == sent | {"id": shown["id"]}
    assert shown["id"].startswith("msg_")
    assert len(shown["id"]) < 20
    assert meter.usage is not None


def test_tool_calls_are_counted_where_usage_is_missing() -> None:
    content = [
        {"type": "thinking", "thinking": "1234"},
        {"type": "tool_use", "name": "find", "input": {"city": "Kisumu"}},
    ]

    _, meter = a_document(orjson.dumps({"content": content}))

    assert meter.usage is None
    assert meter.delivered_tokens == 7  # 4, and 4 + 17 bytes


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"error": {"message": "x"}}'])
def test_what_is_no_message_is_a_failure(body: bytes) -> None:
    passed, meter = a_document(body)

    assert passed == b""
    assert meter.failure is not None
    assert not meter.complete
