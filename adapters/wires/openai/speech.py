"""The wire of ``POST /v1/audio/speech``: text in, sound out."""

from __future__ import annotations

from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.fields import TEXT, TEXT_OR_OBJECT, FieldTable, Rule, invalid, is_number
from adapters.wires.openai.document_wire import DocumentWire
from adapters.wires.openai.prompt_list import text_prompt
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.public import read_object
from adapters.wires.request import given_fields, read_model
from adapters.wires.stream_meter import UNREADABLE_ANSWER
from adapters.wires.usage_names import CHAT
from creditcore.domain.errors import UpstreamFailedError
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import Explain, InferenceRequest

_LONGEST_INPUT = 4_096
"""As many characters as OpenAI takes."""

_BAD_GATEWAY = 502
_MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}

_FIELDS = FieldTable(
    own=frozenset({"model", "input"}),
    passed={
        "instructions": TEXT,
        "response_format": Rule(
            f"one of {', '.join(_MEDIA_TYPES)}", lambda value: value in tuple(_MEDIA_TYPES)
        ),
        "speed": Rule(
            "a number between 0.25 and 4",
            lambda value: is_number(value) and 0.25 <= value <= 4,  # type: ignore[operator]
        ),
        "voice": TEXT_OR_OBJECT,
    },
    dropped=NOTES,
    neutral={"stream": (False,), "stream_format": ("audio",)},
    refused={
        "stream": "The sound itself is the answer: leave it out.",
        # The models that make events are sold by tokens, of which LiteLLM reports none:
        # https://github.com/BerriAI/litellm/issues/10285
        "stream_format": "The sound itself is the answer; no event tells its cost. Leave it out.",
    },
)


class Speech(DocumentWire):
    """Understands requests to speak. Each character of the input is one that is paid for."""

    endpoint = "/v1/audio/speech"
    modes = frozenset({"audio_speech"})
    limit_field = "input"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        text_prompt(given.get("input"), "input", most=_LONGEST_INPUT)
        text = given["input"]
        fields: dict[str, Any] = {"model": model, "input": text, **_FIELDS.read(given)}
        voice = fields.get("voice")
        # LiteLLM takes objects of Google's, and breaks on OpenAI's own.
        if voice is None or (isinstance(voice, dict) and "id" in voice):
            raise invalid("voice", "must be the name of a voice, such as alloy")
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=0,
            output_limit=0,
            choices=1,
            prompt_estimate=0,
            fields=fields,
            units={Unit.CHARACTER: Extent(len(text), len(text))},
        )

    def media_type(self, request: InferenceRequest) -> str:
        """Return the media type of the sound."""
        return _MEDIA_TYPES[request.fields.get("response_format", "mp3")]

    def _meter_of(self, request: InferenceRequest, explain: Explain) -> SpeechMeter:
        return SpeechMeter(request, explain=explain)


class SpeechMeter(DocumentMeter):
    """Takes sound as it is. What it costs, the request has told."""

    shape = CHAT
    id_prefix = "speech-"

    def __init__(self, request: InferenceRequest, *, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            request: Has the text.
            explain: Reads errors of the upstream.
        """
        super().__init__(explain=explain)
        self._extent = request.extent

    def finish(self) -> bytes:
        """Return the sound, or nothing where the answer is an error. To be called once."""
        body = bytes(self._document)
        if self._error is None and body.startswith(b"{") and (error := _error_in(body)):
            return self._fail(self._explain(error))
        if self._error is not None or not body:
            return self._fail(UpstreamFailedError(UNREADABLE_ANSWER, status=_BAD_GATEWAY))
        self._complete = True
        return body

    @property
    def usage(self) -> Usage | None:
        """The characters that were spoken, known after ``finish``."""
        if not self.complete or self._extent is None:
            return None
        return Usage(units=self._extent.most)

    def _lengths(self, _document: dict[str, Any]) -> list[int]:
        return []


def _error_in(body: bytes) -> object:
    return read_object(body).get("error")
