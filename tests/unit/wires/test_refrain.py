"""An event that is known but for its text gives what reading it would have given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages_meter import MessagesStreamMeter
from adapters.wires.openai.chat_meter import ChatStreamMeter
from adapters.wires.openai.completion_meter import CompletionStreamMeter
from adapters.wires.refrain import Path, Refrain
from adapters.wires.stream_meter import StreamMeter

CONTENT: Path = ("choices", 0, "delta", "content")


def a_chunk(content: object, **delta: object) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": content, **delta}}]}


def event(document: object, *, name: str = "") -> bytes:
    line = f"event: {name}\n".encode() if name else b""
    return line + b"data: " + orjson.dumps(document) + b"\n\n"


def refrain_of(raw: bytes, path: Path = CONTENT) -> Refrain:
    refrain = Refrain.of(raw, path)
    assert refrain is not None
    return refrain


def with_inside(inside: bytes) -> bytes:
    """Return an event with these bytes between the quotes of its text."""
    before, after = event(a_chunk("TEXT")).split(b"TEXT")
    return before + inside + after


@pytest.mark.parametrize(
    ("inside", "length"),
    [
        (b"jambo", 5),
        ("karibu sana, mgeni é".encode(), 21),
        (rb"a\n\"b\"\\", 6),
        (b"\x7f", 1),
    ],
)
def test_text_is_measured_as_the_parser_would(inside: bytes, length: int) -> None:
    refrain = refrain_of(event(a_chunk("habari")))

    assert refrain.text_length(with_inside(inside)) == length


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b'a"},"finish_reason":"stop"},{"delta":{"content":"b',
        b'a","refusal":"b',
        b"a\nb",
        b"a\x00b",
        b"a\\",
        rb"a\u00e9b",
        rb"a\xb",
        b"\xff",
        b"\xed\xa0\x80",
    ],
)
def test_what_is_more_than_a_text_is_read(inside: bytes) -> None:
    refrain = refrain_of(event(a_chunk("habari")))

    assert refrain.text_length(with_inside(inside)) is None


def test_event_in_which_beginning_and_end_overlap_is_another_one() -> None:
    refrain = Refrain(b'data: "x', b'x"\n\n')

    assert refrain.text_length(b'data: "x"\n\n') is None


@pytest.mark.parametrize(
    "raw",
    [
        b"data: [DONE]\n\n",
        b": ping\n\n",
        event({"choices": []}),
        event(a_chunk(7)),
        # The last of two equal names counts, and it is not the one that is found first.
        b'data: {"choices":[{"delta":{"content":"a"}}],"choices":[{"delta":{"content":"a"}}]}\n\n',
        # Found in the wrong place: the text of another field.
        b'data: {"choices":[{"delta":{"content":"\\u0061","name":"a"}}]}\n\n',
    ],
)
def test_event_whose_text_cannot_be_told_from_the_rest_has_no_refrain(raw: bytes) -> None:
    assert Refrain.of(raw, CONTENT) is None


def chat() -> ChatStreamMeter:
    return ChatStreamMeter(
        wants_usage=False, choices=1, receipt=lambda _usage: {}, explain=failure_within
    )


def completions() -> CompletionStreamMeter:
    return CompletionStreamMeter(
        wants_usage=False, choices=1, receipt=lambda _usage: {}, explain=failure_within
    )


def messages() -> MessagesStreamMeter:
    return MessagesStreamMeter(receipt=lambda _usage: {}, explain=failure_within)


def chat_event(text: str) -> bytes:
    return event(a_chunk(text))


def completion_event(text: str) -> bytes:
    return event({"id": "c", "choices": [{"index": 0, "text": text}]})


def messages_event(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    document = {"type": "content_block_delta", "index": 0, "delta": delta}
    return event(document, name="content_block_delta")


Protocol = tuple[Callable[[], StreamMeter], Callable[[str], bytes]]
PROTOCOLS: Sequence[Protocol] = [
    (chat, chat_event),
    (completions, completion_event),
    (messages, messages_event),
]
TEXTS = st.lists(st.sampled_from(["jambo", " é", '"', "\\", "\n", "", "\x7f", "👋"]) | st.text())


@pytest.mark.parametrize(("a_meter", "an_event"), PROTOCOLS)
@given(TEXTS, st.data())
def test_every_text_is_counted_and_passes_as_it_came(
    a_meter: Callable[[], StreamMeter],
    an_event: Callable[[str], bytes],
    texts: list[str],
    data: st.DataObject,
) -> None:
    stream = b"".join(map(an_event, texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    meter = a_meter()

    passed = b"".join(
        meter.feed(stream[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    )

    sizes = [len(text.encode()) for text in texts if text]
    assert passed == stream
    assert meter.delivered_tokens == max(len(sizes), -(-sum(sizes) // 4))


@pytest.mark.parametrize(("a_meter", "an_event"), PROTOCOLS)
def test_budget_holds_back_an_event_that_is_known(
    a_meter: Callable[[], StreamMeter], an_event: Callable[[str], bytes]
) -> None:
    meter = a_meter()
    meter.budget = 3
    events = [an_event(text) for text in ("a", "b", "c", "d", "e")]

    assert meter.feed(b"".join(events)) == b"".join(events[:3])
    assert meter.starved
    assert meter.delivered_tokens == 3

    meter.budget = 5
    assert meter.feed(b"") == b"".join(events[3:])


def test_all_of_a_piece_is_counted_where_more_than_the_text_is_output() -> None:
    meter = chat()

    for _ in range(4):
        meter.feed(event(a_chunk("abcd", refusal="efghijklmnop")))

    assert meter.delivered_tokens == 4 * (4 + 12) // 4


def test_event_that_is_not_passed_as_it_came_is_read_every_time() -> None:
    meter = chat()
    told = event({**a_chunk("abcd"), "response_cost": 0.1})

    assert [meter.feed(told) for _ in range(3)] == [event(a_chunk("abcd"))] * 3


def test_reasoning_under_its_other_name_counts_where_the_first_has_none() -> None:
    meter = chat()

    for text in ("abc", "abc", ""):
        delta = {"reasoning_content": text, "reasoning": "abcdefgh"}
        meter.feed(event({"choices": [{"delta": delta}]}))

    assert meter.delivered_tokens == -(-(3 + 3 + 8) // 4)


def test_stream_whose_events_never_repeat_is_counted_all_the_same() -> None:
    meter = chat()
    stream = [event({"number": at, **a_chunk("abcd")}) for at in range(50)]

    assert b"".join(map(meter.feed, stream)) == b"".join(stream)
    assert meter.delivered_tokens == 50
