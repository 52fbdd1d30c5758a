"""Meters for messages, the Anthropic wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from adapters.wires.anthropic.messages_errors import (
    error_event,
    in_its_words,
    kind_of_status,
)
from adapters.wires.anthropic.unstreamed import message_events
from adapters.wires.document_meter import DocumentMeter
from adapters.wires.public import clean, public_event, public_usage, read_object
from adapters.wires.sse import KEEP_ALIVE, SseEvent
from adapters.wires.tally import text_length
from adapters.wires.typed_meter import TypedStreamMeter
from adapters.wires.usage_names import MESSAGES
from creditcore.domain.errors import UpstreamError
from creditcore.ports.inference import Explain, Receipt

_ID_PREFIX = "msg_"
_BEDROCK_USAGE = "amazon-bedrock-invocationMetrics"


class MessagesStreamMeter(TypedStreamMeter):
    """Reads the events of a message; they leave as they came.

    Changed are only: the usage at the end, beside which stands what the call cost, what
    it cost the operator, errors in LiteLLM's words, and what LiteLLM adds by mistake: a
    second beginning, and errors without a name, which Anthropic's SDKs would not see.
    """

    texts = (("delta", "text"), ("delta", "thinking"), ("delta", "partial_json"))

    def __init__(self, *, receipt: Receipt, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        super().__init__(MESSAGES, receipt=receipt, explain=explain)
        self._begun = False
        self._stopped = False
        self._open_blocks: set[int] = set()

    @property
    def reported_cost(self) -> str | None:
        """Nothing: LiteLLM computes it from the last event alone, which may lack the prompt."""
        return None

    def cut_short(self, message: str) -> bytes:
        """Return an end of reason ``max_tokens``, which says why."""
        stops = [
            public_event({"type": "content_block_stop", "index": index}, name="content_block_stop")
            for index in sorted(self._open_blocks)
        ]
        end = {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": {"output_tokens": self._delivered},
            "notice": {"type": "billing_error", "message": message},
        }
        return b"".join(
            [
                *stops,
                public_event(end, name="message_delta"),
                public_event({"type": "message_stop"}, name="message_stop"),
            ]
        )

    def finish(self) -> bytes:
        """Return what is still held back, and the last event where only that is missing."""
        rest = super().finish()
        if self.starved or not self.complete or self._stopped:
            return rest
        return rest + public_event({"type": "message_stop"}, name="message_stop")

    def _read(self, event: SseEvent) -> bytes:
        self._latest = {}
        if event.data is None:
            return KEEP_ALIVE
        document = read_object(event.data)
        if (error := self._error_in(event, document)) is not None:
            return self._fail_by(error, document)
        kind = document.get("type")
        if not isinstance(kind, str) or not kind.isidentifier():
            return self._read_stranger(document)
        self._latest = document
        match kind:
            case "message_start":
                return self._start(event, document)
            case "content_block_start":
                self._tally.deliver(_block_length(document.get("content_block")))
            case "content_block_delta":
                self._tally.deliver(_delta_length(document.get("delta")))
            case "message_delta":
                return self._end(document)
            case "message_stop":
                self._ended = self._stopped = True
                self._report_late(document.get("usage") or document.get(_BEDROCK_USAGE))
        return self._named(event, kind, document)

    def _left(self) -> None:
        index = self._latest.get("index")
        if not isinstance(index, int):
            return
        match self._latest["type"]:
            case "content_block_start":
                self._open_blocks.add(index)
            case "content_block_stop":
                self._open_blocks.discard(index)

    def _events_of(self, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
        return message_events(document) if document.get("type") == "message" else [document]

    def _start(self, event: SseEvent, document: dict[str, Any]) -> bytes:
        message = document.get("message")
        if isinstance(message, dict) and self._tally.usage is None:
            self._tally.begin(message.get("usage") or document.get("usage"))
        is_second, self._begun = self._begun, True
        if is_second or not isinstance(message, dict):
            return b""
        if clean(message, id_prefix=_ID_PREFIX):
            return public_event(document, name="message_start")
        return self._named(event, "message_start", document)

    def _end(self, document: dict[str, Any]) -> bytes:
        delta = document.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason"):
            self._ended = True
        usage = document.get("usage")
        if usage is None and isinstance(delta, dict):
            usage = delta.pop("usage", None)
        if usage is not None:
            self._tally.report(usage)
        counted = self._tally.usage
        if isinstance(usage, dict) and counted is not None:
            document["usage"] = {**public_usage(usage), **self._told()}
        else:
            # Clients rely on a count here. Where none can be believed, ours is what is charged.
            document["usage"] = {"output_tokens": self._tally.delivered_tokens}
        return public_event(document, name="message_delta")

    def _error_event(self, failure: UpstreamError) -> bytes:
        return error_event(
            in_its_words(str(failure), failure.code), kind=kind_of_status(failure.status)
        )


class MessagesDocumentMeter(DocumentMeter):
    """Reads a message that comes in one piece."""

    shape = MESSAGES
    id_prefix = _ID_PREFIX

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        content = document.get("content")
        if not isinstance(content, list):
            return None
        return [_block_length(block) for block in content]


def _delta_length(delta: object) -> int:
    if not isinstance(delta, dict):
        return 0
    return text_length(delta.get("text"), delta.get("thinking"), delta.get("partial_json"))


def _block_length(block: object) -> int:
    """Return the UTF-8 bytes of a block; where it is streamed, of what it begins with."""
    if not isinstance(block, dict):
        return 0
    if block.get("type") == "tool_use":
        given = block.get("input")
        return text_length(block.get("name")) + (len(orjson.dumps(given)) if given else 0)
    return text_length(block.get("text"), block.get("thinking"))
