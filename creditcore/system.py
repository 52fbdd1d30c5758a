"""The real clock and real randomness: the only adapters that need nothing but Python."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from uuid import UUID

_VERSION_AND_VARIANT = 7 << 76 | 0b10 << 62
_RANDOM_BITS = ((1 << 76) - 1) & ~(0b11 << 62)


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment, whatever becomes of the time of day."""
        return time.monotonic()


class SystemIds:
    """Random names that sort by the time they were made (UUID version 7, RFC 9562)."""

    def new(self) -> str:
        """Return a new UUID as text."""
        return str(UUID(int=_uuid7()))

    def new_reference(self, prefix: str) -> str:
        """Return a new reference: the prefix and 32 hexadecimal digits."""
        return f"{prefix}-{_uuid7():032x}"


def _uuid7() -> int:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return milliseconds << 80 | (random & _RANDOM_BITS) | _VERSION_AND_VARIANT
