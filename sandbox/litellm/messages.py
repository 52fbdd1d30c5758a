"""``/v1/messages``: Anthropic's events as they are, or those that LiteLLM makes of others'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import bad_request
from sandbox.litellm.protocol import died, listed, named, renamed_usage

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class Messages:
    """The route."""

    path = "/messages"
    media_type = "application/json"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the model answers."""
        if not isinstance(body.get("max_tokens"), int):
            raise bad_request("max_tokens: Field required")
        messages = [_as_chat(message) for message in listed(body.get("messages"))]
        system = body.get("system")
        opening = [{"role": "system", "content": system}] if system else []
        asked = {**body, "messages": [*opening, *messages], **_tools(body), **_format(body)}
        return Completion.of(asked, info)

    def document(self, completion: Completion, _body: Mapping[str, Any]) -> bytes:
        """Return the plain answer's body."""
        message = {
            **_head(completion, completion.id if completion.by_anthropic else completion.routed_id),
            "content": [_block(completion, completion.text)],
            "stop_reason": STOP_REASONS[completion.finish_reason],
        }
        if completion.usage is not None:
            message["usage"] = _usage(completion)
        return orjson.dumps(message)

    def events(self, completion: Completion, _body: Mapping[str, Any]) -> MessageEvents:
        """Return the streamed answer."""
        return MessageEvents(completion)


class MessageEvents:
    """The events of one message."""

    def __init__(self, completion: Completion) -> None:
        """Take the answer."""
        self._completion = completion
        self._script = completion.script

    def opening(self) -> list[bytes]:
        """Return what comes before the first token."""
        usage = dict.fromkeys(("input_tokens", "output_tokens"), 0)
        if self._completion.by_anthropic and self._completion.usage is not None:
            # Anthropic tells the input at once, and one token of output as a beginning.
            usage = {**_usage(self._completion), "output_tokens": 1}
        message = {**_head(self._completion, self._completion.id), "content": []}
        start = named({"type": "message_start", "message": {**message, "usage": usage}})
        block = {
            "type": "content_block_start",
            "index": 0,
            "content_block": _block(self._completion, ""),
        }
        # LiteLLM 1.91.5 begins the messages that it makes up twice.
        starts = [start] if self._completion.by_anthropic else [start, start]
        return [*starts, named(block), named({"type": "ping"})]

    def token(self, position: int, _index: int, *, last: bool) -> bytes:  # noqa: ARG002 - usage comes later
        """Return a token."""
        piece = self._completion.pieces[position]
        delta = {"type": "text_delta", "text": piece}
        if self._completion.tool:
            delta = {"type": "input_json_delta", "partial_json": piece}
        return named({"type": "content_block_delta", "index": 0, "delta": delta})

    def failure(self) -> bytes:
        """Return what comes in place of the rest when the provider dies."""
        if not self._completion.by_anthropic:
            return died()
        error = {"type": "overloaded_error", "message": "provider died"}
        return named({"type": "error", "error": error})

    def ending(self) -> list[bytes]:
        """Return what comes after the last token."""
        reason = STOP_REASONS[self._completion.finish_reason]
        end: dict[str, Any] = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
        }
        if self._completion.usage is not None:
            usage = _usage(self._completion)
            if self._completion.by_anthropic and not self._script.usage:
                usage = {"output_tokens": usage["output_tokens"]}
            if self._script.cost >= 0:
                usage["cost"] = self._script.cost
            end["usage"] = usage
        events = [named({"type": "content_block_stop", "index": 0}), named(end)]
        return [*events, named({"type": "message_stop"})] if self._script.done else events


def _head(completion: Completion, message_id: str) -> dict[str, Any]:
    return {
        "id": message_id.replace("chatcmpl-", "msg_"),
        "type": "message",
        "role": "assistant",
        "model": completion.model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(completion: Completion, text: str) -> dict[str, Any]:
    if not completion.tool:
        return {"type": "text", "text": text}
    call_id = completion.tool_call_id(0).replace("call_", "toolu_")
    arguments = orjson.loads(text) if text else {}
    return {"type": "tool_use", "id": call_id, "name": completion.tool, "input": arguments}


def _usage(completion: Completion) -> dict[str, Any]:
    """Return usage as Anthropic counts it: what the cache took stands beside the input."""
    usage = renamed_usage(completion.usage or {})
    if not completion.script.usage:
        cached, written = completion.script.cached, completion.script.cache_write
        usage["input_tokens"] -= cached + written
        if completion.by_anthropic or cached or written:
            usage |= {"cache_creation_input_tokens": written, "cache_read_input_tokens": cached}
    return usage


def _as_chat(message: Mapping[str, Any]) -> dict[str, Any]:
    results = [part for part in listed(message.get("content")) if part.get("type") == "tool_result"]
    return {**message, "role": "tool"} if results else dict(message)


def _tools(body: Mapping[str, Any]) -> dict[str, Any]:
    tools = [
        {"function": {"name": tool.get("name"), "parameters": tool.get("input_schema")}}
        for tool in listed(body.get("tools"))
    ]
    choice = body.get("tool_choice")
    wanted: object = None
    if isinstance(choice, dict):
        named_tool = {"function": {"name": choice.get("name")}}
        wanted = "none" if choice.get("type") == "none" else named_tool
    return {"tools": tools, "tool_choice": wanted}


def _format(body: Mapping[str, Any]) -> dict[str, Any]:
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else None
    if not isinstance(wanted, dict):
        return {}
    schema = {"schema": wanted.get("schema")}
    return {"response_format": {"type": wanted.get("type"), "json_schema": schema}}
