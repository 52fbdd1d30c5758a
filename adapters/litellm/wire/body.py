"""Request bodies: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from creditcore.domain.errors import InvalidRequestError

_STREAMED = b'{"stream":true'


def decode_body(body: bytes) -> dict[str, Any]:
    """Read a request body.

    The parser refuses what strict JSON refuses: NaN and infinite numbers, lone
    surrogates, bytes that are not UTF-8, nesting deeper than 1024.

    Raises:
        InvalidRequestError: Not JSON, or not an object.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(
            f"The request body is not valid JSON: {error}.", code="invalid_json"
        ) from error
    if not isinstance(fields, dict):
        raise InvalidRequestError("The request body must be a JSON object.", code="invalid_json")
    return fields


def encode_body(fields: Mapping[str, Any], *, stream: bool) -> bytes:
    """Write what goes upstream. ``stream`` comes first, where ``asks_for_stream`` looks for it.

    Raises:
        InvalidRequestError: Nested deeper than the encoder goes, 254 levels.
    """
    try:
        return orjson.dumps({"stream": stream, **fields})
    except orjson.JSONEncodeError as error:
        raise InvalidRequestError(
            "The request body is nested too deeply.", code="invalid_json"
        ) from error


def asks_for_stream(body: bytes) -> bool:
    """Whether a body that ``encode_body`` wrote asks for a stream."""
    return body.startswith(_STREAMED)
