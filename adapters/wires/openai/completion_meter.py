"""Meters for legacy completions: as for chat, with text in place of messages."""

from __future__ import annotations

from typing import Any

from adapters.wires.openai.chunk_meter import ChoicesDocumentMeter, ChunkStreamMeter
from adapters.wires.tally import text_length


class CompletionStreamMeter(ChunkStreamMeter):
    """Reads a stream of completion chunks."""

    texts = (("choices", 0, "text"),)

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return text_length(choice.get("text"))

    @staticmethod
    def _says(choice: dict[str, Any]) -> bool:
        return bool(choice.get("text") or choice.get("logprobs"))

    @staticmethod
    def _ended(index: int) -> dict[str, Any]:
        return {"index": index, "text": "", "logprobs": None, "finish_reason": "length"}


class CompletionDocumentMeter(ChoicesDocumentMeter):
    """Reads completions that come in one piece."""

    id_prefix = "cmpl-"

    @staticmethod
    def _length(choice: dict[str, Any]) -> int:
        return text_length(choice.get("text"))
