"""Streams of chat, chunk by chunk, and the meter that reads them."""

from typing import Any

import orjson

from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat_meter import ChatStreamMeter


def a_meter(*, wants_usage: bool = False, choices: int = 1) -> ChatStreamMeter:
    return ChatStreamMeter(
        wants_usage=wants_usage, choices=choices, receipt=lambda _usage: {}, explain=failure_within
    )


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
