"""Errors on the Anthropic wire."""

from __future__ import annotations

from typing import Any

import orjson

from creditcore.ports.inference import ErrorFacts

_KINDS_OF_STATUSES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SERVER_ERRORS_FROM = 500
_KINDS_OF_CODES = {"timeout": "timeout_error", "credits_exhausted": "billing_error"}
_TOO_LONG = "prompt is too long"


def error_document(error: ErrorFacts, *, call_id: str) -> bytes:
    """Return an error as the document that Anthropic's SDKs raise from."""
    message = in_its_words(error.message, error.code)
    facts: dict[str, Any] = {"type": kind_of_status(error.status), "message": message}
    if error.details is not None:
        facts["details"] = error.details
    return orjson.dumps({"type": "error", "error": facts, "request_id": call_id})


def error_event(message: str, *, kind: str) -> bytes:
    """Return an error as the event that Anthropic's SDKs raise from: they go by its name."""
    document = orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})
    return b"event: error\ndata: " + document + b"\n\n"


def in_its_words(message: str, code: str | None) -> str:
    """Return a provider's message with the words that clients of this protocol look for.

    Claude Code compacts the conversation when it reads that the prompt is too long; only
    Anthropic's own models say it in these words.
    """
    if code == "context_length_exceeded" and _TOO_LONG not in message.lower():
        return f"{_TOO_LONG}: {message}"
    return message


def kind_of(code: str) -> str:
    """Return Anthropic's type for one of our codes."""
    return _KINDS_OF_CODES.get(code, "api_error")


def kind_of_status(status: int) -> str:
    """Return Anthropic's type for a status; any other 4xx is ``invalid_request_error``."""
    other = "invalid_request_error" if status < _SERVER_ERRORS_FROM else "api_error"
    return _KINDS_OF_STATUSES.get(status, other)
