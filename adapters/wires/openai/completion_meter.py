"""Meters for legacy completions: as for chat, with text in place of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.wires.openai.chunk_meter import ChoicesDocumentMeter, ChunkStreamMeter
from adapters.wires.openai.unstreamed import completion_chunks
from adapters.wires.public import public_event, read_object
from adapters.wires.sse import SseEvent
from adapters.wires.tally import text_length


class CompletionStreamMeter(ChunkStreamMeter):
    """Reads a stream of completion chunks."""

    texts = (("choices", 0, "text"),)

    _is_silent = False

    def _read(self, event: SseEvent) -> bytes:
        """Read a chunk; LiteLLM leaves the text of the last one out, and clients rely on it."""
        self._is_silent = False
        forward = super()._read(event)
        if not self._is_silent or forward is not event.raw:
            return forward
        chunk = read_object(event.data or b"")
        _give_texts(chunk["choices"])
        return public_event(chunk)

    def _read_choices(self, choices: list[Any]) -> None:
        self._is_silent = _give_texts(choices)
        super()._read_choices(choices)

    def _events_of(self, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
        return completion_chunks(document) if document.get("choices") else [document]

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return text_length(choice.get("text"))

    @staticmethod
    def _says(choice: dict[str, Any]) -> bool:
        return bool(choice.get("text") or choice.get("logprobs"))

    @staticmethod
    def _ended(index: int) -> dict[str, Any]:
        return {"index": index, "text": "", "logprobs": None, "finish_reason": "length"}


def _give_texts(choices: list[Any]) -> bool:
    """Give an empty text to each choice without one; whether there was any."""
    silent = [choice for choice in choices if isinstance(choice, dict) and "text" not in choice]
    for choice in silent:
        choice["text"] = ""
    return bool(silent)


class CompletionDocumentMeter(ChoicesDocumentMeter):
    """Reads completions that come in one piece."""

    id_prefix = "cmpl-"

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return text_length(choice.get("text"))
