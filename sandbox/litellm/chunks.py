"""Chat completions and legacy completions: chunks with choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.litellm.completion import Completion
from sandbox.litellm.protocol import DONE, died, nameless


class ChunkEvents:
    """The events of chat; those of legacy completions differ in ``_said`` alone."""

    noun = "chat.completion.chunk"

    def __init__(self, completion: Completion, body: Mapping[str, Any]) -> None:
        """Take the answer, and what the caller asked for."""
        self._completion = completion
        self._script = completion.script
        options = body.get("stream_options")
        wanted = isinstance(options, dict) and options.get("include_usage") is True
        self._usage = completion.usage if wanted else None
        if self._usage is not None and self._script.cost >= 0:
            self._usage = {**self._usage, "cost": self._script.cost}

    def opening(self) -> list[bytes]:
        """Return nothing: the first token opens the stream."""
        return []

    def token(self, position: int, index: int, *, last: bool) -> bytes:
        """Return a token of a choice; ``last`` of them all."""
        piece = self._completion.pieces[position]
        chunk = self._chunk(index, self._said(piece, index, first=position == 0))
        if last and self._usage is not None and self._script.usage_early:
            chunk["usage"] = self._usage
        return nameless(chunk)

    def failure(self) -> bytes:
        """Return what comes in place of the rest when the provider dies."""
        return died()

    def ending(self) -> list[bytes]:
        """Return what comes after the last token."""
        events = [
            nameless(self._chunk(index, self._said("", index), self._completion.finish_reason))
            for index in range(self._completion.choices)
        ]
        if self._usage is not None and not self._script.usage_early:
            # Real LiteLLM sends an empty choice here, where OpenAI promises an empty list.
            choices = [] if self._script.openai else [{"index": 0, **self._said("", 0)}]
            events.append(nameless({**self._head(), "choices": choices, "usage": self._usage}))
        return [*events, DONE] if self._script.done else events

    def _said(self, piece: str, index: int, *, first: bool = False) -> dict[str, Any]:
        role = {"role": "assistant"} if first else {}
        if not piece:
            return {"delta": {}}
        if not self._completion.tool:
            return {"delta": {**role, "content": piece}}
        call: dict[str, Any] = {"function": {"arguments": piece}, "type": "function", "index": 0}
        if first:
            call["id"] = self._completion.tool_call_id(index)
            call["function"]["name"] = self._completion.tool
        return {"delta": {**role, "tool_calls": [call]}}

    def _head(self) -> dict[str, Any]:
        return {
            "id": self._completion.id,
            "object": self.noun,
            "created": self._completion.created,
            "model": self._completion.model,
        }

    def _chunk(
        self, index: int, said: Mapping[str, Any], finish_reason: str | None = None
    ) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, **said}
        if finish_reason or self._script.openai:
            choice["finish_reason"] = finish_reason
        chunk: dict[str, Any] = {**self._head(), "choices": [choice]}
        if self._script.openai and self._usage is not None:
            chunk["usage"] = None
        return chunk


class TextEvents(ChunkEvents):
    """The events of legacy completions."""

    noun = "text_completion"

    def _said(self, piece: str, _index: int, *, first: bool = False) -> dict[str, Any]:  # noqa: ARG002 - no role
        return {"text": piece, "logprobs": None}


class ChatCompletions:
    """``/v1/chat/completions``."""

    path = "/chat/completions"
    media_type = "application/json"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the model answers."""
        return Completion.of(body, info)

    def document(self, completion: Completion, _body: Mapping[str, Any]) -> bytes:
        """Return the plain answer's body."""
        message: dict[str, Any] = {"content": completion.text, "role": "assistant"}
        if completion.tool:
            call = {
                "function": {"arguments": completion.text, "name": completion.tool},
                "id": completion.tool_call_id(0),
                "type": "function",
            }
            message = {"content": None, "role": "assistant", "tool_calls": [call]}
        said = {
            "message": {**message, "provider_specific_fields": {"refusal": None}},
            "provider_specific_fields": {},
        }
        return _document(completion, "chat.completion", said)

    def events(self, completion: Completion, body: Mapping[str, Any]) -> ChunkEvents:
        """Return the streamed answer."""
        return ChunkEvents(completion, body)


class Completions:
    """``/v1/completions``."""

    path = "/completions"
    media_type = "application/json"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the model answers: the same to each prompt."""
        texts, tokens = read_texts(body.get("prompt"))
        asked = {
            **body,
            "messages": [{"role": "user", "content": text} for text in texts],
            "n": len(texts) * (body.get("n") or 1),
        }
        return Completion.of(asked, info, prompt_tokens=tokens)

    def document(self, completion: Completion, _body: Mapping[str, Any]) -> bytes:
        """Return the plain answer's body."""
        said = {"text": completion.text, "logprobs": None}
        return _document(completion, "text_completion", said)

    def events(self, completion: Completion, body: Mapping[str, Any]) -> TextEvents:
        """Return the streamed answer."""
        return TextEvents(completion, body)


def read_texts(value: object) -> tuple[list[str], int]:
    """Return prompts as texts, and how many tokens they are: words, or ids given as such."""
    items = value if isinstance(value, list) else [value]
    if items and isinstance(items[0], int):
        items = [items]
    texts = [item if isinstance(item, str) else "" for item in items]
    ids = sum(len(item) for item in items if isinstance(item, list))
    return texts, ids + sum(len(text.split()) for text in texts)


def _document(completion: Completion, noun: str, said: Mapping[str, Any]) -> bytes:
    body: dict[str, Any] = {
        "id": completion.id,
        "created": completion.created,
        "model": completion.model,
        "object": noun,
        "choices": [
            {"finish_reason": completion.finish_reason, "index": index, **said}
            for index in range(completion.choices)
        ],
    }
    if completion.usage is not None:
        body["usage"] = completion.usage
    return orjson.dumps(body)
