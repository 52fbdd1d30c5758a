"""Whole answers of OpenAI's protocols as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.wires.unstreamed import in_pieces

Event = dict[str, Any]


def chat_chunks(document: Event) -> Iterator[Event]:
    """Return the chunks of a chat completion."""
    for choice, head in _choices(document, "chat.completion.chunk"):
        message, index = choice.pop("message", None), choice["index"]
        delta = dict(message) if isinstance(message, dict) else {}
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            delta["tool_calls"] = [
                {"index": at, **call} for at, call in enumerate(calls) if isinstance(call, dict)
            ]
        content = delta.get("content")
        if isinstance(content, str):
            delta["content"] = ""
        yield {**head, "choices": [{"index": index, "delta": delta, "finish_reason": None}]}
        for piece in in_pieces(content) if isinstance(content, str) else ():
            said = {"index": index, "delta": {"content": piece}, "finish_reason": None}
            yield {**head, "choices": [said]}
        yield {**head, "choices": [{**choice, "delta": {}}]}
    yield from _usage(document, "chat.completion.chunk")


def completion_chunks(document: Event) -> Iterator[Event]:
    """Return the chunks of a legacy completion."""
    for choice, head in _choices(document, "text_completion"):
        text = choice.get("text")
        for piece in in_pieces(text) if isinstance(text, str) else ():
            said = {"index": choice["index"], "text": piece, "logprobs": None}
            yield {**head, "choices": [{**said, "finish_reason": None}]}
        yield {**head, "choices": [{**choice, "text": ""}]}
    yield from _usage(document, "text_completion")


def response_events(document: Event) -> Iterator[Event]:
    """Return the events of a response."""
    begun = {**document, "status": "in_progress", "output": [], "usage": None}
    events = [{"type": "response.created", "response": begun}]
    events += [{"type": "response.in_progress", "response": begun}]
    output = document.get("output")
    for at, item in enumerate(output if isinstance(output, list) else []):
        if isinstance(item, dict):
            events += _events_of_item(at, item)
    status = document.get("status")
    end = status if status in ("incomplete", "failed") else "completed"
    events.append({"type": f"response.{end}", "response": document})
    for number, event in enumerate(events):
        yield {"sequence_number": number, **event}


def _events_of_item(at: int, item: Event) -> Iterator[Event]:
    place: Event = {"output_index": at}
    content = item.get("content") if item.get("type") == "message" else None
    begun = {**item, "status": "in_progress"} | ({} if content is None else {"content": []})
    yield {"type": "response.output_item.added", **place, "item": begun}
    place |= {"item_id": item.get("id")}
    for index, part in enumerate(content if isinstance(content, list) else []):
        text = part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str):
            continue
        of_part = {**place, "content_index": index}
        yield {"type": "response.content_part.added", **of_part, "part": {**part, "text": ""}}
        for piece in in_pieces(text):
            delta = {"delta": piece, "logprobs": []}
            yield {"type": "response.output_text.delta", **of_part, **delta}
        yield {"type": "response.output_text.done", **of_part, "text": text, "logprobs": []}
        yield {"type": "response.content_part.done", **of_part, "part": part}
    if isinstance(arguments := item.get("arguments"), str):
        kind = "response.function_call_arguments"
        yield {"type": f"{kind}.delta", **place, "delta": arguments}
        yield {"type": f"{kind}.done", **place, "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": at, "item": item}


def _choices(document: Event, kind: str) -> Iterator[tuple[Event, Event]]:
    """Return each choice, with an end, and what stands around it in every chunk."""
    choices = document.get("choices")
    for at, choice in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(choice, dict):
            ended = {**choice, "finish_reason": choice.get("finish_reason") or "stop"}
            yield {"index": at, **ended}, _head(document, kind)


def _usage(document: Event, kind: str) -> Iterator[Event]:
    if document.get("usage") is not None:
        yield {**_head(document, kind), "choices": [], "usage": document["usage"]}


def _head(document: Event, kind: str) -> Event:
    own = {name: document[name] for name in document.keys() - {"choices", "usage"}}
    return {**own, "object": kind}
