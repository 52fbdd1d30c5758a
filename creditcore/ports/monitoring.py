"""What checks have found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.monitoring import Reading


class MonitoringLog(Protocol):
    """Every reading, kept for a while."""

    def add(self, reading: Reading) -> None:
        """Append a reading; its number is ignored, and given by the store."""

    def recent(self, check: str, *, limit: int) -> Sequence[Reading]:
        """Return the readings of a check, the latest first."""

    def forget(self, *, before: datetime, limit: int) -> int:
        """Delete readings made before a time; return how many."""
