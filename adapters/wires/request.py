"""What every request has: a model, perhaps a stream, limits."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from adapters.wires.body import decode_body, encode_body
from adapters.wires.fields import invalid, whole
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.ports.inference import InferenceRequest

TEXT_MODES = frozenset({"chat", "completion", "responses"})
"""Models that write. LiteLLM translates between their protocols, so each speaks them all."""

JSON = "application/json"
"""What nearly every answer is."""

_LONGEST_MODEL = 200
_NO_LIMIT = -1
_LEAST_THINKING = 1_024
_ESCAPED_HOURS = re.compile(rb"\\u00(?:31|32|68)")


def given_fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a request body; null means absent.

    Raises:
        InvalidRequestError: Not JSON, or not an object.
    """
    fields = decode_body(body)
    if None not in fields.values():
        return fields
    return {name: value for name, value in fields.items() if value is not None}


def may_cache_for_an_hour(body: bytes) -> bool:
    """Whether a ``ttl`` of ``1h`` or ``12h`` may stand anywhere in a request.

    Anthropic knows the one, OpenAI the other. Nothing is parsed for it: a text that merely quotes
    it, and a letter written as an escape, count as well. That only makes a hold larger than it has
    to be.
    """
    # Not ``in``, which takes what it looks for to be a number first, and that fails dearly.
    return (
        body.find(b'"1h"') >= 0
        or body.find(b'"12h"') >= 0
        or (body.find(b"\\u00") >= 0 and _ESCAPED_HOURS.search(body) is not None)
    )


def read_model(given: dict[str, Any]) -> str:
    """Return the model's name.

    Raises:
        InvalidRequestError: It cannot be one.
    """
    model = given.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= _LONGEST_MODEL:
        raise invalid("model", f"must be a string of 1 to {_LONGEST_MODEL} characters")
    if not model.isprintable():
        raise invalid("model", "must not contain control characters")
    return model


def read_flag(given: dict[str, Any], name: str) -> bool:
    """Return a flag, false where it is absent.

    Raises:
        InvalidRequestError: It is something else.
    """
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise invalid(name, "must be true or false")
    return value


def read_stream_options(
    given: dict[str, Any], *, stream: bool, known: Container[str]
) -> dict[str, bool]:
    """Return the options of a stream that are known here, each a flag.

    Others choose how a stream is cut into events (Codex CLI sends one), and so do all of them where
    there is no stream: no answer costs more or less by them.

    Raises:
        InvalidRequestError: They are no object, or one that is known is no flag.
    """
    options = given.get("stream_options")
    if options is None or not stream:
        return {}
    if not isinstance(options, dict):
        raise invalid("stream_options", "must be an object")
    flags = {name: value for name, value in options.items() if name in known and value is not None}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise invalid(f"stream_options.{name}", "must be true or false")
    return flags


def tighter(left: int | None, right: int | None) -> int | None:
    """Return the lower of two limits, of which either may be missing."""
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)


def limited_body(request: InferenceRequest, limit_field: str, *, output_bound: int | None) -> bytes:
    """Return a body whose output is limited by the client or by us, whichever is tighter."""
    limit = tighter(request.output_limit, output_bound)
    fields = dict(request.fields) if limit is None else {**request.fields, limit_field: limit}
    if limit != request.output_limit:
        fields |= fitted_thinking(fields)
    return encode_body(fields, stream=request.stream)


def fitted_thinking(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``thinking`` of a request with a budget below its limit, where it has one.

    Anthropic refuses a budget that the limit does not exceed, and one below its least. Where we
    lower the limit to what the wallet affords, the client's budget is lowered with it.
    """
    thinking, limit = fields.get("thinking"), fields.get("max_tokens")
    if not isinstance(thinking, dict) or type(limit) is not int:
        return {}
    budget = thinking.get("budget_tokens")
    if type(budget) is not int or budget < limit:
        return {}
    if limit <= _LEAST_THINKING:
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {**thinking, "budget_tokens": limit - 1}}


def read_integer(given: dict[str, Any], name: str, *, most: int, least: int = 1) -> int | None:
    """Return an integer, or None where it is absent.

    Raises:
        InvalidRequestError: It is something else, or out of bounds.
    """
    if (value := given.get(name)) is None:
        return None
    value = whole(value)
    # isinstance() would let True through. Beyond 64 bits the parser gives a float.
    if type(value) is not int or not least <= value <= most:
        raise invalid(name, f"must be an integer between {least} and {most}")
    return value


def read_limit(given: dict[str, Any], name: str) -> int | None:
    """Return how many tokens an answer may have, or None where it may have any number.

    So does -1 say it, to servers such as LM Studio and llama.cpp.

    Raises:
        InvalidRequestError: It is something else, or out of bounds.
    """
    value = given.get(name)
    if value is None or value == _NO_LIMIT:
        return None
    return read_integer(given, name, most=MAX_TOKENS)
