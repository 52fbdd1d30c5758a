"""Instants as Paystack writes them."""

from __future__ import annotations

from datetime import datetime


def instant_text(instant: datetime) -> str:
    """Return an instant of UTC, with milliseconds and ``Z``."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
