"""A chat stream as it passes: its end, what is counted, what is held back."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.sse import MAX_EVENT_BYTES
from creditcore.domain.pricing import Usage
from tests.unit.wires.chatting import DONE, USAGE, a_chunk, a_meter, an_end, event


def test_cut_stream_is_not_complete_and_keeps_what_was_counted() -> None:
    meter = a_meter()

    passed = meter.feed(event(a_chunk("one")) + event(a_chunk("two")) + b'data: {"id": "c", "cho')

    assert orjson.loads(meter.finish()[6:])["error"]["message"] == "The answer broke off."
    assert passed == event(a_chunk("one")) + event(a_chunk("two"))
    assert not meter.complete
    assert meter.error == "The answer broke off."
    assert meter.delivered_tokens == 2


def test_every_choice_must_end_where_done_is_missing() -> None:
    meter = a_meter(choices=2)
    meter.feed(event({"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}))
    assert not meter.complete

    meter.feed(event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))

    assert meter.complete


def test_error_after_usage_keeps_the_usage() -> None:
    meter = a_meter()

    meter.feed(event(a_chunk("hi")) + event(a_chunk(usage=USAGE)) + event({"error": {}}))
    meter.feed(event({"error": {"message": "litellm.InternalServerError: boom", "code": "500"}}))

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)
    assert meter.error == "boom"
    assert not meter.complete


def test_operators_fault_in_the_stream_is_not_told_to_the_client() -> None:
    meter = a_meter()
    message = "litellm.AuthenticationError: OpenAIException - Incorrect API key: sk-abc123."

    passed = meter.feed(event({"error": {"message": message, "type": None, "code": "401"}}))

    assert b"sk-" not in passed
    assert b"key" not in passed
    assert meter.error == "The model is not available right now."


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"role": "assistant"}, 0),
        ({"content": ""}, 0),
        ({"content": "a"}, 1),
        ({"content": "12345"}, 2),
        ({"content": "日本語"}, 3),
        ({"content": [{"type": "text", "text": "12345678"}]}, 2),
        ({"content": [{"thinking": [{"type": "text", "text": "12345678"}]}]}, 2),
        ({"content": [{"thinking": "12345678"}, {"text": "1234"}, {"thinking": [None, 7]}]}, 3),
        ({"reasoning_content": "12345678", "reasoning": "12345678"}, 2),
        ({"reasoning_content": "12345678", "thinking_blocks": [{"thinking": "12345678"}]}, 2),
        ({"refusal": "12345678"}, 2),
        ({"tool_calls": [{"index": 0, "function": {"name": "find", "arguments": "{}"}}]}, 2),
        ({"function_call": {"arguments": '{"a":1}'}}, 2),
        ({"content": 7, "tool_calls": "x", "function_call": []}, 0),
        ({"tool_calls": [None, {"function": None}, {"function": {"arguments": 3}}]}, 0),
        (None, 0),
        ("text", 0),
    ],
)
def test_delivered_text_is_counted_wherever_it_stands(delta: Any, tokens: int) -> None:
    meter = a_meter()

    meter.feed(event({"choices": [{"index": 0, "delta": delta}]}))

    assert meter.delivered_tokens == tokens


def test_many_short_deltas_count_one_token_each() -> None:
    meter = a_meter()

    meter.feed(event(a_chunk("a")) * 10)

    assert meter.delivered_tokens == 10


@pytest.mark.parametrize(
    "nonsense",
    [
        b"data: <html>http://10.0.0.7:4000 says no</html>\n\n",
        b"data: {\n\n",
        b"data: [1, 2]\n\n",
        b"data: null\n\n",
        b"data: \xff\xfe\n\n",
        b'data: {"note": "api_base=http://10.0.0.7"}\n\n',
        b'data: {"choices": {"0": 1}}\n\n',
        b"data: " + b"[" * 5000 + b"\n\n",
    ],
)
def test_what_cannot_be_read_is_not_passed_on(nonsense: bytes) -> None:
    meter = a_meter()
    said = event(a_chunk("a"))

    assert meter.feed(said + nonsense + DONE) == said + DONE
    assert meter.complete


@pytest.mark.parametrize("nothing", [b"", b": ping\n\n", b"data: {\n\n", b"data: null\n\n"])
def test_an_end_of_nothing_is_an_answer_that_broke_off(nothing: bytes) -> None:
    meter = a_meter()

    passed = meter.feed(nothing + DONE)

    assert b'"message":"The answer broke off."' in passed
    assert passed.endswith(DONE)
    assert (meter.error, meter.complete) == ("The answer broke off.", False)


def test_a_detail_alone_is_an_error_that_names_no_address() -> None:
    meter = a_meter()

    passed = meter.feed(event({"detail": "Lost http://10.0.0.7:4000"}) + DONE)

    assert meter.error == "Lost [removed]"
    assert b"10.0.0.7" not in passed


def test_choices_of_any_shape_do_not_raise() -> None:
    meter = a_meter()
    chunk = {"choices": [None, 7, {"index": [], "delta": 3, "finish_reason": {"a": 1}}]}

    assert meter.feed(event(chunk)) == event(chunk)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_do_not_raise(noise: bytes, wants_usage: bool) -> None:
    meter = a_meter(wants_usage=wants_usage)

    meter.feed(b"data: " + noise + b"\n\n")
    meter.finish()

    assert meter.usage is None


def test_event_without_end_stops_the_stream_with_an_error() -> None:
    meter = a_meter()
    block = b"data: " + b"x" * (MAX_EVENT_BYTES // 2)

    passed = meter.feed(block) + meter.feed(block) + meter.feed(block)

    assert orjson.loads(passed[6:])["error"]["message"] == "The answer cannot be read."
    assert meter.feed(b"\n\n" + DONE) == b""
    assert not meter.complete


def test_a_comment_passes_without_saying_who_is_there() -> None:
    assert a_meter().feed(b": OPENROUTER PROCESSING\n\n") == b": ping\n\n"


def test_private_fields_of_a_chunk_are_taken_out() -> None:
    chunk = a_chunk("hi", response_cost=0.1, _hidden_params={"api_base": "http://10.0.0.7"})

    assert orjson.loads(a_meter().feed(event(chunk))[6:]) == a_chunk("hi")


def test_what_the_budget_does_not_pay_for_waits() -> None:
    meter = a_meter()
    meter.budget = 2
    words = [event(a_chunk("one")), event(a_chunk("two")), event(a_chunk("six"))]

    passed = meter.feed(b"".join([*words, event(an_end()), DONE]))

    assert passed == words[0] + words[1]
    assert meter.starved
    assert meter.delivered_tokens == 2


def test_a_larger_budget_lets_go_of_what_waits() -> None:
    meter = a_meter()
    meter.budget = 1
    words = [event(a_chunk("one")), event(a_chunk("two"))]
    meter.feed(b"".join([*words, DONE]))

    meter.budget = 2
    passed = meter.feed(b"") + meter.finish()

    assert passed == words[1] + DONE
    assert not meter.starved


def test_a_stream_cut_short_ends_as_one_that_reached_its_limit() -> None:
    meter = a_meter(choices=2)
    meter.budget = 1
    meter.feed(event(a_chunk("one")) + event(a_chunk("two")))

    events = meter.cut_short("The credits ran out.").split(b"\n\n")

    chunks = [orjson.loads(line.removeprefix(b"data: ")) for line in events[:-2]]
    assert {chunk["id"] for chunk in chunks} == {"c"}
    assert {chunk["choices"][0]["index"] for chunk in chunks} == {0, 1}
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {"length"}
    assert chunks[-1]["notice"]["code"] == "credits_exhausted"
    assert events[-2:] == [b"data: [DONE]", b""]


@pytest.mark.parametrize("data", [b'{"message": "upstream died", "code": 500}', b"upstream died"])
def test_an_error_is_known_by_the_name_of_its_event(data: bytes) -> None:
    meter = a_meter()

    passed = meter.feed(event(a_chunk("hi")) + b"event: error\ndata: " + data + b"\n\n")

    assert meter.finish() == b""
    assert meter.error == "upstream died"
    assert passed.count(b'"error"') == 1


def test_an_error_in_a_choice_is_an_error_of_the_stream() -> None:
    meter = a_meter()
    meter.feed(event(a_chunk("hi")))
    error = {"code": 502, "message": "Provider disconnected at http://10.0.0.7"}
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": error}

    passed = meter.feed(event({"id": "c", "choices": [choice], "usage": USAGE}))

    assert orjson.loads(passed.removeprefix(b"data: "))["error"]["message"] == (
        "Provider disconnected at [removed]"
    )
    assert (meter.error, meter.complete) == ("Provider disconnected at [removed]", False)
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)
