"""Where a page of a list begins, as addresses have it: ``1790000000000000~name``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from creditcore.ports.calls import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_DIGITS = 17


def place_text(at: datetime, reference: str) -> str:
    """Return a place as an address has it."""
    return f"{(at - _EPOCH) // _MICROSECOND}~{reference}"


def place_sent(args: Mapping[str, str], name: str) -> Place | None:
    """Read a place from an address; what cannot be one is none."""
    micros, _, reference = args.get(name, "").partition("~")
    is_number = micros.isascii() and micros.isdigit() and len(micros) < _MAX_DIGITS
    if not is_number or "\x00" in reference:
        return None
    return Place(_EPOCH + int(micros) * _MICROSECOND, reference)
