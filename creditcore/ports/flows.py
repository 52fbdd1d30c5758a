"""People who have left for Google or GitHub, and are not back yet."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Flows(Protocol):
    """What waits for them here, sealed."""

    def add(self, name: bytes, sealed: bytes, *, expires_at: datetime) -> None:
        """Keep what waits for a browser."""

    def take(self, name: bytes, *, now: datetime) -> bytes | None:
        """Return it and forget it: of many who ask at once, one gets it. None: nothing waits."""

    def forget(self, *, expired_before: datetime, limit: int) -> int:
        """Delete what no visitor came back for; return how many."""
