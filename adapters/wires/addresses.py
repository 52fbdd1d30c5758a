"""Addresses of media, in the one spelling that every provider reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WEB = re.compile(r"\s{0,8}(https?://)", re.IGNORECASE)
_INLINE = re.compile(
    r"\s{0,8}data:\s{0,8}(image/[a-z0-9.+*_-]{1,40}|application/pdf)\s{0,8}"
    r"(?:;[^;,=\"]{1,40}=[^;,\"]{0,100})*+;\s{0,8}base64\s{0,8},\s{0,8}",
    re.IGNORECASE,
)
"""Parameters (a charset, a name) mean nothing for a picture or a PDF."""


_NAMES_OF_KIND = ("format", "mime_type", "content_type", "media_type")
"""Where a request may say what a medium is, whatever its address says; LiteLLM believes it."""


def stated_kind(medium: Mapping[str, Any]) -> str | None:
    """Return the media type that is written beside a medium; None where none is."""
    stated = next(filter(None, (medium.get(name) for name in _NAMES_OF_KIND)), None)
    return None if stated is None else str(stated).strip().lower()


def usual_address(text: str) -> str:
    """Return an address of a medium as it is usually spelled; any other text as it is.

    Schemes and media types are the same in capitals, and may have parameters and spaces around
    them; LiteLLM and providers compare letters. What is measured here is what they read.
    """
    if inline := _INLINE.match(text):
        head = f"data:{inline[1].lower()};base64,"
        return text if inline[0] == head else head + text[inline.end() :]
    if web := _WEB.match(text):
        scheme = web[1].lower()
        return text if web[0] == scheme else scheme + text[web.end() :]
    return text
