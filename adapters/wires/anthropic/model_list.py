"""Models as Anthropic lists them (``ModelInfo`` and its pages in anthropic-python 2.14)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import orjson

from adapters.wires.fields import invalid
from creditcore.ports.inference import OfferedModel

_USUAL_PAGE, _LONGEST_PAGE = 20, 1_000
_PAGE = re.compile("[1-9][0-9]{0,3}")
_UNKNOWN_DATE = "1970-01-01T00:00:00Z"


def model_document(model: OfferedModel) -> bytes:
    """Return one model."""
    return orjson.dumps(_document(model))


def model_list(models: Sequence[OfferedModel], *, query: str) -> bytes:
    """Return a page of models.

    Raises:
        InvalidRequestError: The limit is no number of 1 to 1,000, or a cursor is no model.
    """
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    limit = _limit(asked.get("limit"))
    names = [model.model for model in models]
    begin, end = 0, len(models)
    if "after_id" in asked:
        begin = _position(names, asked["after_id"], "after_id") + 1
    if "before_id" in asked:
        end = _position(names, asked["before_id"], "before_id")
        begin = max(begin, end - limit)
    page = models[begin:end][:limit]
    has_more = begin > 0 if "before_id" in asked else begin + limit < end
    return orjson.dumps(
        {
            "data": [_document(model) for model in page],
            "has_more": has_more,
            "first_id": page[0].model if page else None,
            "last_id": page[-1].model if page else None,
        }
    )


def _document(model: OfferedModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.model,
        "display_name": model.model,
        "created_at": _UNKNOWN_DATE,
        "lifecycle": "active",
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_output_tokens,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL_PAGE
    if not _PAGE.fullmatch(text) or int(text) > _LONGEST_PAGE:
        raise invalid("limit", f"must be a number of 1 to {_LONGEST_PAGE:,}")
    return int(text)


def _position(names: Sequence[str], name: str, field: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise invalid(field, "must be the name of a model in the list") from None
