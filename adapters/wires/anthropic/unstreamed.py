"""A whole message as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from adapters.wires.unstreamed import in_pieces

Event = dict[str, Any]


def message_events(document: Event) -> Iterator[Event]:
    """Return the events of a message."""
    usage = document.get("usage")
    begun = {**document, "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": begun}
    content = document.get("content")
    for index, block in enumerate(content if isinstance(content, list) else []):
        if not isinstance(block, dict):
            continue
        begun, deltas = _streamed(block)
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = document.get("stop_reason") or "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": document.get("stop_sequence")}
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _streamed(block: Event) -> tuple[Event, list[Event]]:
    """Return how a block begins, and what follows of it."""
    kind = block.get("type")
    for name in ("text", "thinking"):
        text = block.get(name)
        if kind == name and isinstance(text, str):
            deltas = [{"type": f"{name}_delta", name: piece} for piece in in_pieces(text)]
            begun = {**block, name: ""}
            if isinstance(signature := block.get("signature"), str):
                begun["signature"] = ""
                deltas.append({"type": "signature_delta", "signature": signature})
            return begun, deltas
    if kind == "tool_use":
        given = orjson.dumps(block.get("input") or {}).decode()
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": given}]
    return block, []
