"""The wire of ``POST /v1/images/generations``."""

from __future__ import annotations

from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.fields import INTEGER, FieldTable, Rule, invalid
from adapters.wires.openai.document_wire import DocumentWire
from adapters.wires.openai.prompt_list import text_prompt
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.request import given_fields, read_integer, read_model
from adapters.wires.usage import count_at
from adapters.wires.usage_names import RESPONSES
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import Explain, InferenceRequest

_MOST_IMAGES = 10
"""As many as OpenAI makes at once."""

_LONGEST_PROMPT = 32_000
_PLAIN_PIXELS = 1024 * 1024
_PLAIN_QUALITIES = frozenset({None, "auto", "standard", "low", "medium"})

_MOST_TOKENS = 16_384
"""Output tokens of one image: the dearest that OpenAI's page lists has 12,329 (3584x2048, high)."""

_MOST_CHEAP_TOKENS = 4_096
"""The same at low and medium quality, which are a quarter of high at most, up to 1536x1024."""

_CHEAP_QUALITIES = frozenset({"low", "medium"})
_CHEAP_PIXELS = 1536 * 1024
_USUAL_TOKENS = 1_056
"""A square image of medium quality (gpt-image-1)."""


def _is_size(value: object) -> bool:
    return value == "auto" or _pixels(value) is not None


_FIELDS = FieldTable(
    own=frozenset({"model", "prompt", "n", "quality", "size"}),
    passed={
        "background": Rule("a string", lambda value: isinstance(value, str)),
        "moderation": Rule("auto or low", lambda value: value in ("auto", "low")),
        "output_compression": INTEGER,
        "output_format": Rule("png, jpeg or webp", lambda value: value in ("png", "jpeg", "webp")),
        "response_format": Rule("url or b64_json", lambda value: value in ("url", "b64_json")),
        "style": Rule("vivid or natural", lambda value: value in ("vivid", "natural")),
    },
    dropped=NOTES,
    neutral={"stream": (False,), "partial_images": (0,)},
    refused={
        # LiteLLM breaks on such a stream: https://github.com/BerriAI/litellm/issues/19569
        "stream": "Images come whole, since LiteLLM streams none: leave it out.",
        "partial_images": "Images come whole, since LiteLLM streams none: leave it out.",
        **dict.fromkeys(
            ("complexity", "frame_count", "frame_duration_ms", "svg"),
            "What it would cost has no bound here.",
        ),
    },
)


class Images(DocumentWire):
    """Understands requests for images, and counts the images or tokens of their answers."""

    endpoint = "/v1/images/generations"
    modes = frozenset({"image_generation"})
    limit_field = "n"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        prompt = text_prompt(given.get("prompt"), "prompt", most=_LONGEST_PROMPT)
        count = read_integer(given, "n", most=_MOST_IMAGES) or 1
        quality, size = given.get("quality"), given.get("size")
        if quality is not None and not isinstance(quality, str):
            raise invalid("quality", "must be a string")
        if size is not None and not _is_size(size):
            raise invalid("size", "must be auto, or a width and a height such as 1024x1024")
        fields: dict[str, Any] = {"model": model, "prompt": given["prompt"], "n": count}
        fields |= {name: given[name] for name in ("quality", "size") if name in given}
        fields |= _FIELDS.read(given)
        is_cheap = quality in _CHEAP_QUALITIES and 0 < (_pixels(size) or 0) <= _CHEAP_PIXELS
        most = _MOST_CHEAP_TOKENS if is_cheap else _MOST_TOKENS
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=prompt.bound,
            output_limit=0,
            choices=1,
            prompt_estimate=prompt.estimated_tokens,
            fields=fields,
            units={
                Unit.IMAGE: _dearer(model, quality, size) or Extent(count, count),
                Unit.IMAGE_TOKEN: Extent(count * most, count * _USUAL_TOKENS),
            },
        )

    def _meter_of(self, request: InferenceRequest, explain: Explain) -> ImagesMeter:
        return ImagesMeter(request, explain=explain)


class ImagesMeter(DocumentMeter):
    """Counts what came: images, or the tokens that the provider counted for them."""

    shape = RESPONSES
    id_prefix = "img-"

    def __init__(self, request: InferenceRequest, *, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            request: Says by what its model is sold.
            explain: Reads errors of the upstream.
        """
        super().__init__(explain=explain)
        self._sold_by = request.sold_by
        self._images = 0
        self._text_tokens = 0

    @property
    def usage(self) -> Usage | None:
        """What the answer says, known after ``finish``.

        Tokens of the output are the images', but for those that it says are text.
        """
        if not self.complete:
            return None
        reported = self._tally.usage
        prompt = reported.prompt_tokens if reported else 0
        if self._sold_by is Unit.IMAGE:
            return Usage(prompt_tokens=prompt, units=self._images)
        if reported is None or not reported.completion_tokens:
            # Without an image nothing was made that could be counted.
            return None if self._images else Usage(prompt_tokens=prompt)
        text = min(self._text_tokens, reported.completion_tokens)
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=text,
            cached_tokens=min(reported.cached_tokens, prompt),
            units=reported.completion_tokens - text,
        )

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        images = document.get("data")
        if not isinstance(images, list):
            return None
        self._images = len(images)
        self._text_tokens = (
            count_at(document, "usage", "output_tokens_details", "text_tokens")
            or count_at(document, "usage", "completion_tokens_details", "text_tokens")
            or 0
        )
        return []


def _pixels(size: object) -> int | None:
    """Return how many pixels a size has, or None where it is none."""
    if not isinstance(size, str):
        return None
    width, cross, height = size.partition("x")
    sides = (width, height)
    if not cross or not all(side.isascii() and side.isdigit() and len(side) <= 5 for side in sides):
        return None
    return int(width) * int(height) or None


def _dearer(model: str, quality: str | None, size: object) -> InvalidRequestError | None:
    """Return why a request may cost more than a flat price for each image says.

    Price lists name one price; providers take more for what is larger or better.
    """
    if quality not in _PLAIN_QUALITIES:
        return _flat(model, "quality", f"quality {quality!r}", "leave it out")
    if (_pixels(size) or 0) > _PLAIN_PIXELS:
        return _flat(model, "size", f"size {size}", "ask for at most 1024x1024")
    return None


def _flat(model: str, field: str, asked: str, instead: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{asked} is not served for {model}: it has one price for every image, which is that of"
        f" 1024x1024 at standard quality; {instead}.",
        param=field,
        code="unsupported_parameter",
    )
