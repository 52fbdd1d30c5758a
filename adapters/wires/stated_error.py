"""Errors that stand in an answer of status 200, in the shapes that servers write them.

OpenAI and Anthropic write ``error``. vLLM writes ``"object": "error"`` with the message beside it,
MiniMax a ``base_resp`` with a status of its own, and gateways a message alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MESSAGES = ("message", "msg", "error_msg", "errors", "detail")


def stated_error(document: Mapping[str, Any]) -> object:
    """Return the error that a document says it is, even beside an answer; None if none."""
    if error := document.get("error"):
        return error
    if "error" in (document.get("object"), document.get("type")):
        return document
    status = document.get("base_resp")
    return status if isinstance(status, dict) and status.get("status_code") else None


def bare_message(document: Mapping[str, Any]) -> object:
    """Return the error that a document is that has nothing of its protocol; None if it is none."""
    return document if any(document.get(name) for name in _MESSAGES) else None
