"""What a stream tells as a whole is delivered, and counts once beside its pieces."""

from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.responses_meter import ResponseStreamMeter
from tests.unit.wires.chatting import a_chunk, a_meter, an_end, event

TEXT = "0123456789abcdef" * 5


def responses() -> ResponseStreamMeter:
    return ResponseStreamMeter(receipt=lambda _usage: {}, explain=failure_within)


def told(kind: str, **facts: Any) -> bytes:
    return b"data: " + orjson.dumps({"type": f"response.{kind}", **facts}) + b"\n\n"


def a_message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "status": "completed", "content": content}


def ways(at: int, text: str = TEXT) -> list[list[bytes]]:
    """Return the events that may tell a text, each of which may be left out."""
    place = {"output_index": at, "content_index": 0}
    half = len(text) // 2
    pieces = [
        told("output_text.delta", **place, delta=piece) for piece in (text[:half], text[half:])
    ]
    return [
        pieces,
        [told("output_text.done", **place, text=text)],
        [told("content_part.done", **place, part={"type": "output_text", "text": text})],
        [told("output_item.done", output_index=at, item=a_message(text))],
    ]


@pytest.mark.parametrize("kept", list(product([True, False], repeat=4)))
def test_a_text_counts_once_however_often_it_is_told(kept: tuple[bool, ...]) -> None:
    meter = responses()

    for at in (0, 1):
        for events, is_kept in zip(ways(at), kept, strict=True):
            meter.feed(b"".join(events) if is_kept else b"")

    assert meter.delivered_tokens == (2 * len(TEXT) // 4 if any(kept) else 0)


def test_only_what_the_pieces_left_out_counts_beside_them() -> None:
    meter = responses()
    place = {"output_index": 0, "content_index": 0}

    meter.feed(told("output_text.delta", **place, delta=TEXT))
    meter.feed(told("output_item.done", output_index=0, item=a_message(TEXT + "more" * 5)))
    meter.feed(told("completed", response={"output": [a_message(TEXT + "more" * 7)]}))

    assert meter.delivered_tokens == len(TEXT) // 4 + 7


@pytest.mark.parametrize(
    "done",
    [
        told("function_call_arguments.done", output_index=0, arguments=TEXT),
        told("custom_tool_call_input.done", output_index=0, input=TEXT),
        told("refusal.done", output_index=0, content_index=0, refusal=TEXT),
        told("reasoning_text.done", output_index=0, content_index=0, text=TEXT),
        told("reasoning_summary_text.done", output_index=0, summary_index=0, text=TEXT),
        told("reasoning_summary_part.done", output_index=[], summary_index=0, part={"text": TEXT}),
    ],
)
def test_whatever_is_told_as_a_whole_alone_is_delivered(done: bytes) -> None:
    meter = responses()

    meter.feed(done + done)

    assert meter.delivered_tokens == len(TEXT) // 4


def test_an_answer_that_is_cut_short_keeps_a_text_that_was_told_as_a_whole() -> None:
    meter = responses()
    item = {"type": "message", "status": "in_progress", "content": []}
    meter.feed(told("output_item.added", output_index=0, item=item))

    meter.feed(told("output_text.done", output_index=0, content_index=0, text=TEXT))

    assert TEXT.encode() in meter.cut_short("No credits are left.")


@pytest.mark.parametrize("has_pieces", [True, False])
def test_a_chat_message_that_is_repeated_as_a_whole_counts_once(*, has_pieces: bool) -> None:
    meter = a_meter()
    half = len(TEXT) // 2

    for upto in (half, len(TEXT)):
        chunk = a_chunk(TEXT[upto - half : upto]) if has_pieces else a_chunk()
        chunk["choices"][0]["message"] = {"role": "assistant", "content": TEXT[:upto]}
        meter.feed(event(chunk))
    meter.feed(event(an_end()))

    assert meter.delivered_tokens == len(TEXT) // 4
