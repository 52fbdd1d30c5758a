"""Errors on the Anthropic wire."""

from __future__ import annotations

import orjson

from adapters.litellm.faults import Fault

# What a client may hear from a provider as it is; anything else is simply our side's fault.
_PASSED = frozenset(
    {
        "api_error",
        "invalid_request_error",
        "not_found_error",
        "overloaded_error",
        "rate_limit_error",
        "request_too_large",
        "timeout_error",
    }
)
_TOO_LONG = "prompt is too long"
_KINDS = {"timeout": "timeout_error", "credits_exhausted": "billing_error"}


def error_document(message: str, *, kind: str) -> bytes:
    """Return an error as the document that Anthropic's SDKs raise from."""
    return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})


def error_event(message: str, *, kind: str) -> bytes:
    """Return an error as the event that Anthropic's SDKs raise from: they go by its name."""
    return b"event: error\ndata: " + error_document(message, kind=kind) + b"\n\n"


def in_its_words(message: str, fault: Fault) -> str:
    """Return a provider's message with the words that clients of this protocol look for.

    Claude Code compacts the conversation when it reads that the prompt is too long, which only
    Anthropic's own models say so.
    """
    if fault.code == "context_length_exceeded" and _TOO_LONG not in message.lower():
        return f"{_TOO_LONG}: {message}"
    return message


def kind_of(code: str) -> str:
    """Return Anthropic's type for one of our codes."""
    return _KINDS.get(code, "api_error")


def kind_of_fault(fault: Fault) -> str:
    """Return the type under which a client hears of a provider's error."""
    if fault.is_operators or fault.kind not in _PASSED:
        return "api_error"
    return fault.kind
