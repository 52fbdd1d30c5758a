"""What the protocols of OpenAI have in common whose answer comes in one piece."""

from __future__ import annotations

from abc import ABC, abstractmethod

from adapters.wires.body import encode_body
from adapters.wires.document_meter import DocumentMeter
from adapters.wires.openai.wire import OpenAIWire
from creditcore.ports.inference import Explain, InferenceRequest, Receipt


class DocumentWire(OpenAIWire, ABC):
    """The half of a protocol that neither streams nor has an output to bound."""

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:  # noqa: ARG002 - there is no output to bound
        """Return what is sent upstream; equal requests give equal bytes."""
        return encode_body(request.fields)

    def meter(
        self,
        request: InferenceRequest,
        *,
        receipt: Receipt,  # noqa: ARG002 - headers tell the cost of a document
        explain: Explain,
    ) -> DocumentMeter:
        """Return a meter for the answer to this request."""
        return self._meter_of(request, explain)

    @abstractmethod
    def _meter_of(self, request: InferenceRequest, explain: Explain) -> DocumentMeter:
        """Return a meter that reads errors within the answer by ``explain``."""
