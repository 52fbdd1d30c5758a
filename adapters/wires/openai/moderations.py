"""The wire of ``POST /v1/moderations``."""

from __future__ import annotations

from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.fields import FieldTable, invalid
from adapters.wires.openai.document_wire import DocumentWire
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.parts import PartReader
from adapters.wires.prompt import Prompt
from adapters.wires.request import given_fields, read_model
from adapters.wires.usage_names import EMBEDDINGS
from creditcore.ports.inference import Explain, InferenceRequest

_USUAL_MODEL = "omni-moderation-latest"
_MOST_INPUTS = 1_000
_FIELDS = FieldTable(
    own=frozenset({"model", "input"}), passed={}, dropped=NOTES, neutral={"stream": (False,)}
)


class Moderations(DocumentWire):
    """Understands requests to judge texts and images. Answers report no usage: we count."""

    endpoint = "/v1/moderations"
    modes = frozenset({"moderation"})

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body. As at OpenAI, the model may be left out.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = {"model": _USUAL_MODEL, **given_fields(body)}
        model = read_model(given)
        size = _size(given.get("input"))
        fields = {"model": model, "input": given["input"], **_FIELDS.read(given)}
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=size.bound(fields),
            media_bound=size.media_bound,
            output_limit=0,
            choices=1,
            prompt_estimate=size.estimated_tokens,
            fields=fields,
        )

    def _meter_of(self, _request: InferenceRequest, explain: Explain) -> ModerationsMeter:
        return ModerationsMeter(explain=explain)


class ModerationsMeter(DocumentMeter):
    """Reads a list of judgements."""

    shape = EMBEDDINGS
    id_prefix = "modr-"

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        return [] if isinstance(document.get("results"), list) else None


def _size(value: object) -> Prompt:
    """Measure a text, a list of texts, or a list of parts.

    Raises:
        InvalidRequestError: It is none of these; the error names the place.
    """
    reader = PartReader()
    if isinstance(value, str):
        reader.prompt.add_text(value)
        return reader.prompt
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_INPUTS:
        raise invalid("input", f"must be a string, or a list of 1 to {_MOST_INPUTS:,} inputs")
    for at, part in enumerate(value):
        if isinstance(part, str):
            reader.prompt.add_text(part)
        else:
            reader.part(part, f"input[{at}]", _PARTS)
    return reader.prompt


def _image(reader: PartReader, part: dict[str, Any], place: str) -> None:
    image = part.get("image_url")
    if isinstance(image, dict):
        image["url"] = reader.image_address(image.get("url"), place)
    else:
        part["image_url"] = reader.image_address(image, place)


_PARTS = {"text": PartReader.text, "image_url": _image}
