"""What the protocols of OpenAI have in common: their errors, and that only bodies matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import orjson

from adapters.wires.openai.limit_headers import limit_headers
from adapters.wires.openai.model_list import model_document, model_list
from adapters.wires.request import JSON, TEXT_MODES
from creditcore.domain.rates import Standing
from creditcore.ports.inference import ErrorFacts, InferenceRequest, LongBody, OfferedModel
from creditcore.ports.prompt_counts import PromptText


class OpenAIWire:
    """The half of a protocol of OpenAI that is the same for each of them."""

    modes = TEXT_MODES
    limit_field = "max_tokens"
    key_header = "api-key"  # as Azure's clients send it
    id_headers = ("x-request-id",)
    version_header: str | None = None

    @property
    def upstream_headers(self) -> Mapping[str, str]:
        """No header selects anything here."""
        return {}

    def hearing(self, _header: Callable[[str], str | None]) -> Self:
        """Return this wire: no header of the client selects anything."""
        return self

    def text_of(self, request: InferenceRequest) -> PromptText | None:  # noqa: ARG002 - not every prompt is text
        """Return nothing: what is held for the prompt is not worth a count."""
        return None

    def rest(self) -> LongBody | None:
        """Return nothing: the body is all that is sent."""
        return None

    def media_type(self, _request: InferenceRequest) -> str:
        """Return the media type of a whole answer."""
        return JSON

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        """Return an error as an event in the stream; nothing should follow it."""
        return error_event(message, kind=kind, code=code)

    def limit_headers(self, standings: Sequence[Standing]) -> list[tuple[str, str]]:
        """Return headers that say what is left of a key's limits."""
        return limit_headers(standings)

    def model_document(self, model: OfferedModel) -> bytes:
        """Return one model as OpenAI's SDKs read it."""
        return model_document(model)

    def model_list(self, models: Sequence[OfferedModel], *, query: str) -> bytes:  # noqa: ARG002 - no pages
        """Return all models."""
        return model_list(models)

    def error_document(self, error: ErrorFacts, *, call_id: str) -> bytes:  # noqa: ARG002 - a header says it
        """Return the body of a refused request."""
        return error_document(error.message, kind=error.kind, code=error.code, param=error.param)


def error_event(message: str, *, kind: str, code: str | None) -> bytes:
    """Return an error as the event that OpenAI's SDKs raise from."""
    return b"data: " + error_document(message, kind=kind, code=code) + b"\n\n"


def error_document(message: str, *, kind: str, code: str | None, param: str | None = None) -> bytes:
    """Return an error as the document that OpenAI's SDKs raise from."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})
