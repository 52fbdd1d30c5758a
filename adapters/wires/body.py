"""Request bodies: JSON in, JSON out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from creditcore.domain.errors import InvalidRequestError

MOST_CONTAINERS = 50_000
MOST_VALUES = 300_000
"""What a request may hold, however long its texts are. It is the number of values that costs time,
for which every other call of the process would wait; a batch of embeddings has 300,000 tokens."""

_LARGE_BYTES = 64 * 1024
_MARK = b"\xef\xbb\xbf"
"""What .NET and PowerShell write before UTF-8. A parser may pass it over (RFC 8259, 8.1)."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole letter
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",  # half of one, or any other
    re.DOTALL,
)
_LOST_LETTER = rb"\ufffd"
_MOST_BACKSLASHES = 300_000
"""To look at more would take long, for which every other call of the process would wait."""

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def decode_body(body: bytes) -> dict[str, Any]:
    """Read a request body.

    The parser refuses what strict JSON refuses: NaN and infinite numbers, bytes that are not
    UTF-8, nesting deeper than 1024. Half of a letter, which is what is left where a program cuts a
    text within an emoji, is replaced: it would be in the conversation for good.

    Raises:
        InvalidRequestError: Not JSON, not an object, or too many values.
    """
    if len(body) > _LARGE_BYTES and _is_crowded(body):
        raise InvalidRequestError(
            f"A request has {MOST_CONTAINERS:,} objects and lists, and {MOST_VALUES:,} values, at"
            " most. Split it into several.",
            code="request_too_complex",
        )
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if body.startswith(_MARK) and not body.startswith(2 * _MARK):
            return decode_body(body.removeprefix(_MARK))
        if "surrogate in string" in str(error) and (mended := _without_halves(body)) != body:
            return decode_body(mended)
        raise InvalidRequestError(
            f"The request body is not valid JSON: {error}.", code="invalid_json"
        ) from error
    if not isinstance(fields, dict):
        raise InvalidRequestError("The request body must be a JSON object.", code="invalid_json")
    return fields


def encode_body(fields: Mapping[str, Any], *, stream: bool | None = None) -> bytes:
    """Write what goes upstream; equal fields give equal bytes.

    Args:
        fields: The cleaned body.
        stream: Whether the answer is to be streamed; None for a route that knows no streams.

    Raises:
        InvalidRequestError: Nested deeper than the encoder goes, 254 levels.
    """
    try:
        return orjson.dumps({**fields} if stream is None else {"stream": stream, **fields})
    except orjson.JSONEncodeError as error:
        raise InvalidRequestError(
            "The request body is nested too deeply.", code="invalid_json"
        ) from error


def _is_crowded(body: bytes) -> bool:
    """Tell without parsing, which is what would take long."""
    if not _has_more_than_allowed(body):
        return False
    # Most of it may be inside a text, such as code that a model is asked about.
    texts = body.count(b'"') - body.count(b'\\"')
    return texts > 4 * MOST_VALUES or _has_more_than_allowed(_TEXT.sub(b"", body))


def _has_more_than_allowed(body: bytes) -> bool:
    containers = body.count(b"{") + body.count(b"[")
    return containers > MOST_CONTAINERS or body.count(b",") > MOST_VALUES


def _without_halves(body: bytes) -> bytes:
    if body.count(b"\\") > _MOST_BACKSLASHES:
        return body
    return _ESCAPE.sub(lambda escape: _LOST_LETTER if escape[1] else escape[0], body)
