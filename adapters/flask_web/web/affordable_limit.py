"""What a call that does not fit a balance is told to change, as a sentence and to be copied."""

from __future__ import annotations

import re

_TOLD = re.compile(r"\bLower (\w+) to (\d+)\b")


def advice(limit_field: str, tokens: int) -> str:
    """Return what a refusal says: ``"Lower max_tokens to 513"``."""
    return f"Lower {limit_field} to {tokens}"


def advised_member(message: str) -> str:
    """Return the member of a request that a refusal asks for: ``'"max_tokens": 513'``; or none."""
    found = _TOLD.search(message)
    return f'"{found[1]}": {found[2]}' if found else ""
