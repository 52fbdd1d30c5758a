"""The meter of transcripts: the length that was billed, or the tokens."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.openai.subtitles import FORMATS, subtitles
from adapters.wires.public import read_object
from adapters.wires.tally import text_length
from adapters.wires.usage import count_at
from adapters.wires.usage_names import RESPONSES
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Unit
from creditcore.ports.inference import Explain, InferenceRequest

_MS_PER_SECOND = 1_000
_MOST_MS = 10**9
_LONGEST_NUMBER = 40


class TranscriptionMeter(DocumentMeter):
    """Reads a transcript, and writes it in the format that was asked for."""

    shape = RESPONSES
    id_prefix = "transcript-"

    def __init__(self, request: InferenceRequest, *, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            request: Says by what its model is sold, and which format the client wants.
            explain: Reads errors of the upstream.
        """
        super().__init__(explain=explain)
        self._sold_by = request.sold_by
        self._format = request.fields["response_format"]
        self._text = ""
        self._milliseconds: int | None = None
        self._text_tokens = 0

    def finish(self) -> bytes:
        """Return the transcript, or nothing where the answer is an error. To be called once."""
        body = super().finish()
        if body and self._format == "text":
            return self._text.encode() + b"\n"
        if body and self._format in FORMATS:
            transcript = read_object(body)
            return subtitles(self._format, transcript, length_ms=self._milliseconds or 0)
        return body

    @property
    def usage(self) -> Usage | None:
        """What the answer says that it was billed by, known after ``finish``."""
        if self._sold_by is Unit.MILLISECOND:
            return None if self._milliseconds is None else Usage(units=self._milliseconds)
        reported = self._tally.usage
        if reported is None or not reported.prompt_tokens:
            return None
        text = min(self._text_tokens, reported.prompt_tokens)
        return Usage(
            prompt_tokens=text,
            completion_tokens=reported.completion_tokens,
            units=reported.prompt_tokens - text,
        )

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        text = document.get("text")
        if not isinstance(text, str):
            return None
        self._text = text
        usage = document.get("usage")
        billed = usage.get("seconds") if isinstance(usage, dict) else None
        self._milliseconds = _milliseconds(billed) or _milliseconds(document.get("duration"))
        self._text_tokens = (
            count_at(document, "usage", "input_token_details", "text_tokens")
            or count_at(document, "usage", "input_tokens_details", "text_tokens")
            or count_at(document, "usage", "prompt_tokens_details", "text_tokens")
            or 0
        )
        return [text_length(self._text)]

    def _tidy(self, document: dict[str, Any]) -> bool:
        """Leave out what was asked for only to charge by it."""
        if self._format != "json" or self._sold_by is not Unit.MILLISECOND:
            return False
        usage = document.get("usage")
        document.clear()
        document["text"] = self._text
        if isinstance(usage, dict):
            document["usage"] = usage
        return True


def _milliseconds(seconds: object) -> int | None:
    """Return a duration rounded up, from a number or a text; None for what cannot be one."""
    if type(seconds) not in (int, float, str) or len(str(seconds)) > _LONGEST_NUMBER:
        return None
    try:
        exact = Decimal(str(seconds)) * _MS_PER_SECOND
    except InvalidOperation:
        return None
    if not exact.is_finite() or not 0 < exact <= _MOST_MS:
        return None
    return int(exact.to_integral_value(ROUND_CEILING))
