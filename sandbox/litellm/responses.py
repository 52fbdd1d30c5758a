"""``/v1/responses``: OpenAI's events, without the names and with the ``[DONE]`` of LiteLLM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.litellm.completion import Completion
from sandbox.litellm.protocol import DONE, died, listed, named, nameless, renamed_usage


class Responses:
    """The route."""

    path = "/responses"
    media_type = "application/json"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the model answers."""
        given = body.get("input")
        messages = [_as_chat(item) for item in listed(given)]
        if isinstance(given, str):
            messages = [{"role": "user", "content": given}]
        if instructions := body.get("instructions"):
            messages.insert(0, {"role": "system", "content": instructions})
        asked = {
            "model": body["model"],
            "messages": messages,
            "max_tokens": body.get("max_output_tokens"),
            "response_format": _format(body),
            "tools": [{"function": tool} for tool in listed(body.get("tools"))],
            "tool_choice": _choice(body.get("tool_choice")),
        }
        return Completion.of(asked, info)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the plain answer's body."""
        return orjson.dumps(_response(completion, body, ended=True))

    def events(self, completion: Completion, body: Mapping[str, Any]) -> ResponseEvents:
        """Return the streamed answer."""
        return ResponseEvents(completion, body)


class ResponseEvents:
    """The events of one response, numbered."""

    def __init__(self, completion: Completion, body: Mapping[str, Any]) -> None:
        """Take the answer, and what the caller asked for."""
        self._completion = completion
        self._script = completion.script
        self._body = body
        self._number = -1

    def opening(self) -> list[bytes]:
        """Return what comes before the first token."""
        begun = _response(self._completion, self._body, ended=False)
        events = [
            self._event("response.created", response=begun),
            self._event("response.in_progress", response=begun),
            self._item_event("response.output_item.added", item=_item(self._completion, "")),
        ]
        if not self._completion.tool:
            part = {"type": "output_text", "text": "", "annotations": []}
            events.append(self._part_event("response.content_part.added", part=part))
        return events

    def token(self, position: int, _index: int, *, last: bool) -> bytes:  # noqa: ARG002 - usage comes later
        """Return a token."""
        piece = self._completion.pieces[position]
        if self._completion.tool:
            return self._item_event(
                "response.function_call_arguments.delta", item_id="fc_1", delta=piece
            )
        return self._part_event("response.output_text.delta", delta=piece, logprobs=[])

    def failure(self) -> bytes:
        """Return what comes in place of the rest when the provider dies."""
        if not self._script.openai:
            return died()
        failed = _response(self._completion, self._body, ended=False)
        error = {"code": "server_error", "message": "provider died"}
        return self._event("response.failed", response=failed | {"error": error, "usage": None})

    def ending(self) -> list[bytes]:
        """Return what comes after the last token."""
        text = self._completion.text
        if self._completion.tool:
            done = [
                self._item_event(
                    "response.function_call_arguments.done",
                    item_id="fc_1",
                    arguments=text,
                    name=self._completion.tool,
                )
            ]
        else:
            part = {"type": "output_text", "text": text, "annotations": []}
            done = [
                self._part_event("response.output_text.done", text=text, logprobs=[]),
                self._part_event("response.content_part.done", part=part),
            ]
        done.append(
            self._item_event("response.output_item.done", item=_item(self._completion, text))
        )
        last = _response(self._completion, self._body, ended=True)
        events = [*done, self._event(f"response.{last['status']}", response=last)]
        return [*events, DONE] if self._script.done and not self._script.openai else events

    def _item_event(self, kind: str, **facts: object) -> bytes:
        return self._event(kind, output_index=0, **facts)

    def _part_event(self, kind: str, **facts: object) -> bytes:
        return self._item_event(kind, item_id="msg_1", content_index=0, **facts)

    def _event(self, kind: str, **facts: object) -> bytes:
        self._number += 1
        event = {"type": kind, "sequence_number": self._number, **facts}
        if self._script.openai:
            return named(event)
        return nameless({**event, "model": self._completion.model})


def _response(completion: Completion, body: Mapping[str, Any], *, ended: bool) -> dict[str, Any]:
    cut = completion.finish_reason == "length"
    response: dict[str, Any] = {
        "id": completion.routed_id,
        "object": "response",
        "created_at": completion.created,
        "model": completion.model,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "max_output_tokens": body.get("max_output_tokens"),
        "status": "in_progress",
        "text": body.get("text") or {"format": {"type": "text"}},
        "truncation": "disabled",
        "store": body.get("store"),
    }
    if not ended:
        return response
    response["status"] = "incomplete" if cut else "completed"
    response["incomplete_details"] = {"reason": "max_output_tokens"} if cut else None
    response["output"] = [_item(completion, completion.text)]
    if completion.usage is not None:
        response["usage"] = _usage(completion, completion.usage)
    return response


def _item(completion: Completion, text: str) -> dict[str, Any]:
    status = "completed" if text else "in_progress"
    if completion.tool:
        return {
            "type": "function_call",
            "id": "fc_1",
            "call_id": completion.tool_call_id(0),
            "name": completion.tool,
            "arguments": text,
            "status": status,
        }
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": status,
        "content": [part] if text else [],
    }


def _usage(completion: Completion, counted: Mapping[str, Any]) -> dict[str, Any]:
    usage: dict[str, Any] = renamed_usage(counted) | {
        "total_tokens": counted["total_tokens"],
        "cost": completion.script.cost if completion.script.cost >= 0 else None,
    }
    if "completion_tokens_details" in counted:
        usage["input_tokens_details"] = {
            "cached_tokens": completion.script.cached,
            "cache_write_tokens": completion.script.cache_write,
        }
        usage["output_tokens_details"] = counted["completion_tokens_details"]
    return usage


def _as_chat(item: Mapping[str, Any]) -> dict[str, Any]:
    if "role" in item:
        return dict(item)
    return {"role": "tool" if str(item.get("type")).endswith("_output") else "assistant"}


def _format(body: Mapping[str, Any]) -> dict[str, Any]:
    text = body.get("text")
    wanted = text.get("format") if isinstance(text, dict) else None
    if not isinstance(wanted, dict):
        return {}
    return {"type": wanted.get("type"), "json_schema": {"schema": wanted.get("schema")}}


def _choice(choice: object) -> object:
    return {"function": choice} if isinstance(choice, dict) else choice
