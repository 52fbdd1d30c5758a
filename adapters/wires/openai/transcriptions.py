"""The wire of ``POST /v1/audio/transcriptions``: a form with a sound in, its text out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from adapters.wires.fields import FieldTable, Rule, invalid, is_number, strings
from adapters.wires.openai import subtitles
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.openai.sound_length import sound_extent
from adapters.wires.openai.transcriptions_meter import TranscriptionMeter
from adapters.wires.openai.wire import OpenAIWire
from adapters.wires.request import JSON, given_fields, read_model
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import Explain, InferenceRequest, LongBody, Receipt, Upload

_LONGEST_PROMPT = 16_000
_MS_PER_SECOND = 1_000
_MOST_TOKENS_PER_SECOND = 64
"""Twice what Gemini takes for a second of sound, six times what OpenAI does."""

_USUAL_TOKENS_PER_SECOND = 10
_UNSEEN_TOKENS = 64
_MOST_OUTPUT = 16_384
_BYTES_PER_TOKEN = 4
_FORMATS = ("json", "text", "verbose_json", "diarized_json", *subtitles.FORMATS)
_TEXT_TYPE = "text/plain; charset=utf-8"
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})\Z")
_MEDIA_TYPE = re.compile(r"(?:audio|video)/[A-Za-z0-9.+-]{1,64}")

_FIELDS = FieldTable(
    own=frozenset({"model", "file", "prompt", "response_format"}),
    passed={
        "chunking_strategy": Rule(
            "auto, or an object of server_vad", lambda value: value == "auto" or _is_vad(value)
        ),
        "include": strings(8),
        "keywords": strings(1_000),
        "language": Rule(
            "a code of at most 16 letters",
            lambda value: isinstance(value, str) and 0 < len(value) <= 16,
        ),
        "languages": strings(100),
        "temperature": Rule("a finite number", is_number),
        "timestamp_granularities": Rule(
            "a list of word and segment",
            lambda value: isinstance(value, list) and set(value) <= {"word", "segment"},
        ),
    },
    dropped=NOTES,
    neutral={"stream": (False,)},
    refused={
        "stream": "A transcript comes whole: leave it out.",
        "known_speaker_names": "Speakers cannot be named here.",
        "known_speaker_references": "Speakers cannot be named here.",
    },
)
_LISTS = frozenset(
    {"include", "keywords", "known_speaker_names", "languages", "timestamp_granularities"}
)
_VAD_NUMBERS = frozenset({"prefix_padding_ms", "silence_duration_ms", "threshold"})
_NUMBERS = frozenset({"temperature", *_VAD_NUMBERS})
_MEMBER = re.compile(r"(chunking_strategy)\[([a-z_]{1,32})\]")
"""How a form writes a member of an object."""


class Transcriptions(OpenAIWire):
    """Understands forms with a sound, sold by its length or by its tokens."""

    endpoint = "/v1/audio/transcriptions"
    modes = frozenset({"audio_transcription"})
    limit_field = "file"

    def __init__(self, upload: Upload | None = None) -> None:
        """Make the wire of all such calls, or, with a file, of one.

        Args:
            upload: The sound.
        """
        self._upload = upload
        self._boundary = secrets.token_hex(16)

    def holding(self, upload: Upload) -> Transcriptions:
        """Return this wire for one request, whose file has arrived."""
        return Transcriptions(upload)

    @property
    def upstream_headers(self) -> Mapping[str, str]:
        """The form that goes upstream has a boundary of its own."""
        return {"content-type": f"multipart/form-data; boundary={self._boundary}"}

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand the fields of a form, each a text or a list of them, as JSON.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = _plain(given_fields(body))
        model = read_model(given)
        if self._upload is None or not self._upload.length:
            raise invalid("file", "must be a sound: a file in the form")
        fields: dict[str, Any] = {"model": model}
        prompt = given.get("prompt")
        if prompt is not None:
            if not isinstance(prompt, str) or len(prompt) > _LONGEST_PROMPT:
                raise invalid("prompt", f"must be a string of at most {_LONGEST_PROMPT:,} letters")
            fields["prompt"] = prompt
        fields |= _FIELDS.read(given)
        fields["response_format"] = _format(given)
        sound = sound_extent(self._upload.length, *self._upload.ends())
        words = [fields.get("prompt", ""), *fields.get("keywords", ())]
        prompt_bytes = sum(len(text.encode()) + 1 for text in words) - 1
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=prompt_bytes + _UNSEEN_TOKENS,
            output_limit=_MOST_OUTPUT,
            choices=1,
            prompt_estimate=-(-prompt_bytes // _BYTES_PER_TOKEN),
            fields=fields,
            units={
                Unit.MILLISECOND: _without_speakers(model, fields["response_format"]) or sound,
                Unit.AUDIO_TOKEN: _without_times(model, fields["response_format"])
                or Extent(
                    _tokens(sound.most, _MOST_TOKENS_PER_SECOND),
                    _tokens(sound.about, _USUAL_TOKENS_PER_SECOND),
                ),
            },
        )

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:  # noqa: ARG002 - nothing limits a transcript
        """Return the form up to the file, which ``rest`` is."""
        fields = {**request.fields, "response_format": _asked_upstream(request)}
        if request.fields["response_format"] in subtitles.FORMATS:
            fields["timestamp_granularities"] = ["segment"]
        parts = [
            self._part(f'name="{label}"') + _form_text(value)
            for name, given in fields.items()
            for label, value in _labelled(name, given)
        ]
        upload = self._upload
        media_type = upload.media_type if upload else ""
        kind = media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
        extension = _EXTENSION.search(upload.name if upload else "")
        name = f"sound.{extension[1]}" if extension else "sound"
        parts.append(self._part(f'name="file"; filename="{name}"', f"content-type: {kind}\r\n"))
        return b"\r\n".join(parts)

    def rest(self) -> LongBody | None:
        """Return what follows ``upstream_body``: the file, and the end of the form."""
        return None if self._upload is None else FormRest(self._upload, self._boundary)

    def media_type(self, request: InferenceRequest) -> str:
        """Return the media type of the transcript."""
        is_json = request.fields["response_format"] not in ("text", *subtitles.FORMATS)
        return JSON if is_json else _TEXT_TYPE

    def meter(
        self,
        request: InferenceRequest,
        *,
        receipt: Receipt,  # noqa: ARG002 - headers tell the cost of a document
        explain: Explain,
    ) -> TranscriptionMeter:
        """Return a meter for the answer to this request."""
        return TranscriptionMeter(request, explain=explain)

    def _part(self, disposition: str, further: str = "") -> bytes:
        head = (
            f"--{self._boundary}\r\ncontent-disposition: form-data; {disposition}\r\n{further}\r\n"
        )
        return head.encode()


class FormRest:
    """A file, and the end of the form that it stands in."""

    def __init__(self, upload: Upload, boundary: str) -> None:
        self._upload = upload
        self._end = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Its bytes."""
        return self._upload.length + len(self._end)

    def parts(self) -> Iterator[bytes]:
        """Return it block by block, from its beginning each time."""
        yield from self._upload.parts()
        yield self._end


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a form with their types: in a form everything is text.

    Raises:
        InvalidRequestError: A field that has one value came twice.
    """
    fields: dict[str, Any] = {}
    for label, values in given.items():
        name = label.removesuffix("[]")
        if not isinstance(values, list):
            fields[name] = values
        elif member := _MEMBER.fullmatch(label):
            name, inner = member.groups()
            given_so_far = fields.setdefault(name, {})
            if len(values) > 1 or not isinstance(given_so_far, dict):
                raise invalid(name, "must stand in the form once")
            given_so_far[inner] = _typed(inner, values[0])
        elif name in fields and name not in _LISTS:
            raise invalid(name, "must stand in the form once")
        elif name in _LISTS:
            fields[name] = [*fields.get(name, []), *values]
        elif len(values) > 1:
            raise invalid(name, "must stand in the form once")
        else:
            fields[name] = _typed(name, values[0])
    return fields


def _typed(name: str, text: object) -> object:
    if name == "stream" and text in ("true", "false"):
        return text == "true"
    if name in _NUMBERS and isinstance(text, str):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _labelled(name: str, value: object) -> list[tuple[str, object]]:
    """Return a field as it stands in a form, where lists and objects are several."""
    if isinstance(value, list):
        return [(f"{name}[]", each) for each in value]
    if isinstance(value, dict):
        return [(f"{name}[{inner}]", each) for inner, each in value.items()]
    return [(name, value)]


def _is_vad(value: object) -> bool:
    """Whether a value says how a sound is cut at its silences, which costs nothing more."""
    return (
        isinstance(value, dict)
        and value.get("type") == "server_vad"
        and value.keys() <= {"type", *_VAD_NUMBERS}
        and all(is_number(value[name]) for name in value.keys() & _VAD_NUMBERS)
    )


def _format(given: Mapping[str, Any]) -> str:
    asked = given.get("response_format", "json")
    if asked not in _FORMATS:
        raise invalid("response_format", f"must be one of {', '.join(_FORMATS)}")
    return str(asked)


def _without_times(model: str, asked: str) -> InvalidRequestError | None:
    """Return why a model that is sold by tokens, and tells no times, makes no subtitles."""
    if asked not in subtitles.FORMATS:
        return None
    return InvalidRequestError(
        f"{model} tells no times of what is said, so it makes no {asked}; ask for json, or take"
        " a model that is sold by the second, such as whisper-1.",
        param="response_format",
        code="unsupported_parameter",
    )


def _without_speakers(model: str, asked: str) -> InvalidRequestError | None:
    """Return why a model that is sold by the second, and hears no speakers, does not name them."""
    if asked != "diarized_json":
        return None
    return InvalidRequestError(
        f"{model} does not tell speakers apart; ask for verbose_json, or take a model that does,"
        " such as gpt-4o-transcribe-diarize.",
        param="response_format",
        code="unsupported_parameter",
    )


def _asked_upstream(request: InferenceRequest) -> str:
    """Return the format that tells what the call is charged by."""
    asked: str = request.fields["response_format"]
    if request.sold_by is Unit.MILLISECOND or asked in subtitles.FORMATS:
        return "verbose_json"
    return "json" if asked == "text" else asked


def _form_text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _tokens(milliseconds: int, per_second: int) -> int:
    return -(-milliseconds * per_second // _MS_PER_SECOND)
