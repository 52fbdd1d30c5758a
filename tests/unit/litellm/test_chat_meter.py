import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.wire.chat_meter import ChatDocumentMeter, ChatStreamMeter
from adapters.litellm.wire.sse import MAX_EVENT_BYTES
from creditcore.domain.pricing import Usage
from tests.unit.litellm.recordings import CHAT_STREAMS, VERSIONS, body_of

_RECORDED = [(version, name) for version in VERSIONS for name in CHAT_STREAMS]
_RECORDED.append(("1.91.5", "stream-cut"))
_SECRET = re.compile(
    rb"cost|https?://|127\.0\.0\.1|localhost|sk-|litellm|OpenAIException|Traceback", re.IGNORECASE
)
_RECORDED_USAGE = {
    "chat-stream-usage": Usage(prompt_tokens=19, completion_tokens=4),
    "chat-claude-stream-usage": Usage(prompt_tokens=19, completion_tokens=4),
}


def a_meter(*, wants_usage: bool = False, choices: int = 1) -> ChatStreamMeter:
    return ChatStreamMeter(wants_usage=wants_usage, choices=choices, receipt=lambda _usage: {})


def event(chunk: Any) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def a_chunk(content: str | None = None, **fields: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {"id": "c", "choices": [{"index": 0, "delta": delta}], **fields}


def an_end(**fields: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **fields}


DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def outcome(meter: ChatStreamMeter, *pieces: bytes) -> tuple[Any, ...]:
    passed = b"".join([meter.feed(piece) for piece in pieces]) + meter.finish()
    return passed, meter.usage, meter.delivered_tokens, meter.complete, meter.error


# Recorded streams


@pytest.mark.parametrize("wants_usage", [False, True], ids=["hidden", "shown"])
@pytest.mark.parametrize(("version", "name"), _RECORDED)
def test_recorded_stream_cut_anywhere_gives_the_same(
    version: str, name: str, wants_usage: bool
) -> None:
    stream = body_of(version, name)
    whole = outcome(a_meter(wants_usage=wants_usage), stream)

    for cut in range(1, len(stream)):
        assert outcome(a_meter(wants_usage=wants_usage), stream[:cut], stream[cut:]) == whole


@given(st.sampled_from(_RECORDED), st.booleans(), st.data())
def test_recorded_stream_in_any_pieces_gives_the_same(
    recorded: tuple[str, str], wants_usage: bool, data: st.DataObject
) -> None:
    stream = body_of(*recorded)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=40)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    whole = outcome(a_meter(wants_usage=wants_usage), stream)

    assert outcome(a_meter(wants_usage=wants_usage), *pieces) == whole


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", _RECORDED_USAGE)
def test_recorded_usage_is_read_whether_shown_or_not(version: str, name: str) -> None:
    for wants_usage in (False, True):
        meter = a_meter(wants_usage=wants_usage)
        meter.feed(body_of(version, name))

        assert meter.usage == _RECORDED_USAGE[name]
        assert meter.complete
        assert meter.error is None


@pytest.mark.parametrize("version", VERSIONS)
def test_hidden_usage_leaves_exactly_the_stream_without_it(version: str) -> None:
    stream = body_of(version, "chat-stream-usage")
    without = b"".join(
        part + b"\n\n" for part in stream.rstrip().split(b"\n\n") if b'"usage"' not in part
    )

    assert a_meter().feed(stream) == without


def test_shown_usage_without_cost_passes_untouched() -> None:
    stream = body_of("1.91.5", "chat-stream-usage")

    passed, *_ = outcome(a_meter(wants_usage=True), stream)

    assert passed == stream.rstrip(b"\n") + b"\n\n"


def test_recorded_cost_is_taken_out_of_shown_usage() -> None:
    stream = body_of("1.102.4", "chat-claude-stream-usage")
    assert b'"cost":0.000117' in stream

    passed = a_meter(wants_usage=True).feed(stream)

    (shown,) = [orjson.loads(p[6:]) for p in passed.split(b"\n\n") if b'"usage"' in p]
    assert "cost" not in shown["usage"]
    assert shown["usage"]["prompt_tokens"] == 19
    assert shown["usage"]["cache_read_input_tokens"] == 0


@pytest.mark.parametrize("wants_usage", [False, True], ids=["hidden", "shown"])
@pytest.mark.parametrize(("version", "name"), _RECORDED)
def test_nothing_of_the_operators_is_forwarded(version: str, name: str, wants_usage: bool) -> None:
    passed, *_ = outcome(a_meter(wants_usage=wants_usage), body_of(version, name))

    assert _SECRET.search(passed) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_error_in_the_stream_is_reported_in_openai_shape(version: str) -> None:
    meter = a_meter()

    passed = meter.feed(body_of(version, "stream-error"))

    last = orjson.loads(passed.rstrip().rpartition(b"data: ")[2])
    assert last == {
        "error": {"message": "provider died", "type": "server_error", "param": None, "code": None}
    }
    assert meter.error == "provider died"
    assert not meter.complete
    assert meter.usage is None
    assert meter.delivered_tokens == 9  # "token 0" to "token 4": 35 bytes


# Usage


def test_chunk_with_content_and_usage_loses_only_the_usage() -> None:
    meter = a_meter()

    passed = meter.feed(event(a_chunk("hi", usage=USAGE)))

    assert orjson.loads(passed[6:]) == a_chunk("hi")
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


@pytest.mark.parametrize(
    "chunk",
    [
        {"id": "c", "choices": [], "usage": USAGE},
        {"id": "c", "choices": None, "usage": USAGE},
        {"id": "c", "usage": USAGE},
        {"choices": [{"index": 0, "delta": {}}], "usage": USAGE},
        {"choices": [{"index": 0, "delta": {"content": None, "role": ""}}], "usage": USAGE},
        {"choices": [{"index": 0, "delta": None}, {"index": 1, "delta": {}}], "usage": USAGE},
    ],
)
def test_chunk_with_nothing_but_usage_is_taken_out(chunk: dict[str, Any]) -> None:
    meter = a_meter()

    assert meter.feed(event(chunk)) == b""
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_end_of_a_choice_with_usage_is_kept() -> None:
    passed = a_meter().feed(event(an_end(usage=USAGE)))

    assert orjson.loads(passed[6:]) == an_end()


def test_null_usage_passes_untouched() -> None:
    raw = event(a_chunk("hi", usage=None))

    assert a_meter().feed(raw) == raw


def test_last_usage_wins() -> None:
    meter = a_meter()
    first = {"prompt_tokens": 9, "completion_tokens": 1}

    meter.feed(event(a_chunk("a", usage=first)) + event(a_chunk(usage=USAGE)) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_usage_before_the_end_counts_when_the_stream_is_whole() -> None:
    meter = a_meter()

    meter.feed(event(a_chunk(usage=USAGE)) + event(a_chunk("late")) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_usage_that_text_has_overtaken_is_none_when_the_stream_is_cut() -> None:
    meter = a_meter()
    placeholder = {"prompt_tokens": 9, "completion_tokens": 1}

    meter.feed(event(a_chunk(usage=placeholder)) + event(a_chunk("much more text")))
    meter.finish()

    assert meter.usage is None
    assert meter.delivered_tokens == 4


@pytest.mark.parametrize(
    "usage",
    [
        {},
        [],
        "x",
        7,
        {"prompt_tokens": 9},
        {"completion_tokens": 2},
        {"prompt_tokens": None, "completion_tokens": 2},
        {"prompt_tokens": "9", "completion_tokens": 2},
        {"prompt_tokens": 9.0, "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 2**53 + 1, "completion_tokens": 2},
        {"prompt_tokens": 2**64 - 1, "completion_tokens": 2},
        {**USAGE, "prompt_tokens_details": "x"},
        {**USAGE, "prompt_tokens_details": {"cached_tokens": "5"}},
        {**USAGE, "prompt_tokens_details": {"cache_creation_tokens": -5}},
        {**USAGE, "completion_tokens_details": {"reasoning_tokens": 1.5}},
        {**USAGE, "cache_read_input_tokens": 2**60},
    ],
)
def test_unreadable_usage_is_none_and_is_flagged(usage: Any) -> None:
    meter = a_meter()

    meter.feed(event(a_chunk("hi")) + event(a_chunk(usage=usage)) + DONE)

    assert meter.usage is None
    assert meter.error == "The usage cannot be read."
    assert meter.complete
    assert meter.delivered_tokens == 1


def test_details_may_be_missing_or_null() -> None:
    meter = a_meter()
    details = {"prompt_tokens_details": None, "completion_tokens_details": None}

    meter.feed(event(a_chunk(usage={**USAGE, **details})) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


@pytest.mark.parametrize(
    "reported",
    [
        {"prompt_tokens_details": {"cached_tokens": 40, "cache_creation_tokens": 30}},
        {"prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 30}},
        {"cache_read_input_tokens": 40, "cache_creation_input_tokens": 30},
        {
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "cache_creation_tokens": 0,
                "cache_write_tokens": None,
            },
            "cache_read_input_tokens": 40,
            "cache_creation_input_tokens": 30,
        },
    ],
)
def test_cache_tokens_are_found_under_each_of_their_names(reported: dict[str, Any]) -> None:
    meter = a_meter()

    meter.feed(
        event(a_chunk(usage={"prompt_tokens": 100, "completion_tokens": 2, **reported})) + DONE
    )

    assert meter.usage == Usage(
        prompt_tokens=100, completion_tokens=2, cached_tokens=40, cache_write_tokens=30
    )


def test_cache_writes_for_an_hour_and_reasoning_are_found() -> None:
    meter = a_meter()
    by_time = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cache_creation_token_details": by_time},
        "completion_tokens_details": {"reasoning_tokens": 33},
    }

    meter.feed(event(a_chunk(usage=usage)))

    assert meter.usage == Usage(
        prompt_tokens=100,
        completion_tokens=50,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        reasoning_tokens=33,
    )


# The end of a stream


def test_cut_stream_is_not_complete_and_keeps_what_was_counted() -> None:
    meter = a_meter()

    passed = meter.feed(event(a_chunk("one")) + event(a_chunk("two")) + b'data: {"id": "c", "cho')

    assert meter.finish() == b""
    assert passed == event(a_chunk("one")) + event(a_chunk("two"))
    assert not meter.complete
    assert meter.error is None
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


# Counting


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"role": "assistant"}, 0),
        ({"content": ""}, 0),
        ({"content": "a"}, 1),
        ({"content": "12345"}, 2),
        ({"content": "日本語"}, 3),
        ({"content": [{"type": "text", "text": "12345678"}]}, 2),
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


# Nonsense


@pytest.mark.parametrize(
    "nonsense",
    [
        b"data: <html>http://10.0.0.7:4000 says no</html>\n\n",
        b"data: {\n\n",
        b"data: [1, 2]\n\n",
        b"data: null\n\n",
        b"data: \xff\xfe\n\n",
        b'data: {"detail": "api_base=http://10.0.0.7"}\n\n',
        b'data: {"choices": {"0": 1}}\n\n',
        b"data: " + b"[" * 5000 + b"\n\n",
    ],
)
def test_what_cannot_be_read_is_not_passed_on(nonsense: bytes) -> None:
    meter = a_meter()

    assert meter.feed(nonsense + DONE) == DONE
    assert meter.complete


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


# Documents


def a_document(meter: ChatDocumentMeter, body: bytes) -> bytes:
    half = len(body) // 2
    held_back = meter.feed(body[:half]) + meter.feed(body[half:])
    assert held_back == b""
    return meter.finish()


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_document_passes_byte_for_byte(version: str) -> None:
    meter = ChatDocumentMeter()
    body = body_of(version, "chat")

    assert a_document(meter, body) == body
    assert meter.usage == Usage(prompt_tokens=19, completion_tokens=4)
    assert meter.delivered_tokens == 6
    assert meter.complete
    assert meter.error is None


def test_document_loses_its_cost_and_nothing_else() -> None:
    document = {
        "id": "c",
        "choices": [{"index": 0, "message": {"content": "hi"}, "provider_specific_fields": {}}],
        "usage": {**USAGE, "cost": 0.1, "cost_details": {"upstream_inference_cost": 0.1}},
        "_hidden_params": {"api_base": "http://10.0.0.7"},
        "system_fingerprint": "fp",
    }

    passed = orjson.loads(a_document(ChatDocumentMeter(), orjson.dumps(document)))

    assert passed == {
        "id": "c",
        "choices": document["choices"],
        "usage": USAGE,
        "system_fingerprint": "fp",
    }


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices": null}'])
def test_unreadable_document_becomes_an_error(body: bytes) -> None:
    meter = ChatDocumentMeter()

    passed = a_document(meter, body)

    assert orjson.loads(passed)["error"]["message"] == "The answer cannot be read."
    assert meter.error == "The answer cannot be read."
    assert not meter.complete
    assert meter.usage is None


def test_error_document_is_passed_on_without_secrets() -> None:
    meter = ChatDocumentMeter()
    body = b'{"error": {"message": "litellm.Timeout Error: see http://10.0.0.7/x", "type": null}}'

    assert b"10.0.0.7" not in a_document(meter, body)
    assert meter.error is not None


def test_document_with_unreadable_usage_is_complete_but_flagged() -> None:
    meter = ChatDocumentMeter()
    document = {"choices": [{"message": {"content": "12345678"}}], "usage": {"prompt_tokens": "9"}}

    a_document(meter, orjson.dumps(document))

    assert meter.complete
    assert meter.usage is None
    assert meter.error == "The usage cannot be read."
    assert meter.delivered_tokens == 2


# What is paid for


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


def test_the_receipt_stands_beside_usage_that_was_asked_for() -> None:
    meter = ChatStreamMeter(
        wants_usage=True,
        choices=1,
        receipt=lambda usage: {"cost": f"0.{usage.completion_tokens}", "balance": "7"},
    )

    passed = meter.feed(event({"id": "c", "choices": [], "usage": USAGE | {"cost": 9}}))

    shown = orjson.loads(passed.removeprefix(b"data: "))["usage"]
    assert shown == USAGE | {"cost": "0.2", "balance": "7"}
