"""Meters for chat completions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.wires.openai.chunk_meter import ChoicesDocumentMeter, ChunkStreamMeter
from adapters.wires.openai.unstreamed import chat_chunks
from adapters.wires.tally import text_length
from creditcore.ports.inference import Explain, Receipt


class ChatStreamMeter(ChunkStreamMeter):
    """Reads a stream of chat completion chunks."""

    texts = (("choices", 0, "delta", "content"), ("choices", 0, "delta", "reasoning_content"))

    def __init__(
        self, *, wants_usage: bool, choices: int, receipt: Receipt, explain: Explain
    ) -> None:
        """Start before the first byte.

        Args:
            wants_usage: Whether the client asked for usage.
            choices: How many answers come.
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        super().__init__(wants_usage=wants_usage, choices=choices, receipt=receipt, explain=explain)
        self._wholes: dict[int, int] = {}

    def _read_choices(self, choices: list[Any]) -> None:
        super()._read_choices(choices)
        for at, choice in enumerate(choices):
            # Perplexity repeats the message so far; some write it at the end alone.
            if isinstance(choice, dict) and (length := _message_length(choice.get("message"))):
                self._wholes[at] = length
                self._tally.deliver(max(0, sum(self._wholes.values()) - self._tally.bytes))

    def _events_of(self, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
        return chat_chunks(document) if document.get("choices") else [document]

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return _message_length(choice.get("delta"))

    @staticmethod
    def _says(choice: dict[str, Any]) -> bool:
        delta = choice.get("delta")
        return any(delta.values()) if isinstance(delta, dict) else bool(delta)

    @staticmethod
    def _ended(index: int) -> dict[str, Any]:
        return {"index": index, "delta": {}, "finish_reason": "length"}


class ChatDocumentMeter(ChoicesDocumentMeter):
    """Reads a chat completion that comes in one piece."""

    id_prefix = "chatcmpl-"

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return _message_length(choice.get("message"))


def _message_length(message: object) -> int:
    """Return the UTF-8 bytes of what a model wrote: text, refusal, reasoning, tool calls."""
    if not isinstance(message, dict):
        return 0
    # LiteLLM repeats reasoning as ``thinking_blocks``; only one of its names counts.
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    length = _content_length(message.get("content"))
    # Nearly always there is none of these, and asking costs less than taking it for a text.
    if reasoning:
        length += _content_length(reasoning)
    if refusal := message.get("refusal"):
        length += text_length(refusal)
    if function := message.get("function_call"):
        length += _function_length(function)
    if isinstance(calls := message.get("tool_calls"), list):
        length += sum(
            _function_length(call.get("function")) for call in calls if isinstance(call, dict)
        )
    return length


def _content_length(content: object) -> int:
    if not isinstance(content, list):
        return text_length(content)
    # In parts, as some providers answer; Mistral's thoughts are in parts of their own.
    parts = [part for part in content if isinstance(part, dict)]
    thoughts = [part["thinking"] for part in parts if "thinking" in part]
    return _texts_length(parts) + sum(
        _texts_length(thought) if isinstance(thought, list) else text_length(thought)
        for thought in thoughts
    )


def _texts_length(parts: list[Any]) -> int:
    return text_length(*[part.get("text") for part in parts if isinstance(part, dict)])


def _function_length(function: object) -> int:
    if not isinstance(function, dict):
        return 0
    return text_length(function.get("name"), function.get("arguments"))
