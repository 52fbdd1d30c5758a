"""What of an answer is the client's to see."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

from adapters.wires.unusual_json import read_unusual

# What some servers add to an answer about their own business.
_PRIVATE = frozenset(
    {"_hidden_params", "_response_headers", "_response_ms", "cost", "response_cost"}
)
_ROUTED_ID = re.compile(rb"\Alitellm:.*;response_id:([A-Za-z0-9_-]{1,200})\Z")
_SHORTEST_ROUTED_ID = 40


def read_object(data: bytes) -> dict[str, Any]:
    """Read JSON; anything but an object is read as an empty one.

    A list of one object is that object: so Gemini writes its errors.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            value = read_unusual(data)
        except ValueError:
            return {}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether ``public_json`` leaves nothing out."""
    return _PRIVATE.isdisjoint(document)


def public_json(document: Mapping[str, Any]) -> bytes:
    """Write a document without what is the operator's business."""
    return orjson.dumps({name: value for name, value in document.items() if name not in _PRIVATE})


def public_event(document: Mapping[str, Any], *, name: str | None = None) -> bytes:
    """Write a document as an event."""
    line = b"" if name is None else b"event: " + name.encode() + b"\n"
    return line + b"data: " + public_json(document) + b"\n\n"


def public_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return usage as the client may see it: without what the call cost the operator."""
    return {name: value for name, value in usage.items() if not _tells_cost(name)}


def _tells_cost(names: str) -> bool:
    """Whether a name, or one of several in one text, is of what a call cost."""
    return "cost" in names or "is_byok" in names


def clean(answer: dict[str, Any], *, id_prefix: str) -> bool:
    """Take out of a whole answer what is not the client's to see; whether there was any.

    Args:
        answer: Changed in place.
        id_prefix: What ids of answers begin with in the client's protocol.
    """
    found = False
    if not is_public(answer):
        found = True
        for name in _PRIVATE:
            answer.pop(name, None)
    usage = answer.get("usage")
    if isinstance(usage, dict) and _tells_cost(" ".join(usage)):
        found = True
        answer["usage"] = public_usage(usage)
    own_id = _unpacked(answer.get("id"), prefix=id_prefix)
    if own_id is not None:
        found = True
        answer["id"] = own_id
    return found


def _unpacked(text: object, *, prefix: str) -> str | None:
    """Return the provider's own id out of one into which LiteLLM has packed its routing.

    Such an id is base64 of ``litellm:custom_llm_provider:...;model_id:...;response_id:...``,
    which tells the provider and the deployment. None for any other id: it may be shown.
    """
    if not isinstance(text, str) or len(text) < _SHORTEST_ROUTED_ID:
        return None
    packed = text.partition("_")[2]
    try:
        match = _ROUTED_ID.match(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError):
        return None
    return None if match is None else prefix + match[1].decode().rpartition("_")[2]
