"""The meter for streams of typed events with an end of their own: messages and responses."""

from __future__ import annotations

from typing import Any

from adapters.wires.public import is_public, public_event
from adapters.wires.sse import SseEvent
from adapters.wires.stream_meter import StreamMeter
from adapters.wires.usage_names import Shape
from creditcore.ports.inference import Explain, Receipt


class TypedStreamMeter(StreamMeter):
    """Reads events that say what they are, the last of which must not be missing."""

    def __init__(self, shape: Shape, *, receipt: Receipt, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            shape: Where the protocol keeps its counts.
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        super().__init__(shape, receipt=receipt, explain=explain)
        self._latest: dict[str, Any] = {}
        self._ended = False

    @property
    def complete(self) -> bool:
        """Whether the event came that ends a whole answer."""
        return self._error is None and self._ended

    def finish(self) -> bytes:
        """Return what is still held back, and an error where the end is missing.

        LiteLLM closes some broken streams as if they were whole.
        """
        rest = super().finish()
        if self.starved or self._error is not None or self._ended:
            return rest
        return rest + self._break_off()

    @staticmethod
    def _named(event: SseEvent, kind: str, document: dict[str, Any]) -> bytes:
        """Return an event as it came, with the name that some clients go by."""
        if not is_public(document):
            return public_event(document, name=kind)
        return event.raw if event.name == kind else event.named(kind)
