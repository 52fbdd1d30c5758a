"""Who is mailed each week what they used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.weekly_summary import WeeklySummary


class WeeklySummaries(Protocol):
    """One wish for each person who has it, and nothing of all others."""

    def find(self, person_id: str) -> WeeklySummary | None:
        """Return the wish of a person without locking it."""

    def lock(self, person_id: str) -> WeeklySummary | None:
        """Return the wish of a person, locked until the transaction ends."""

    def save(self, summary: WeeklySummary) -> None:
        """Add a wish, or write one that is there."""

    def remove(self, person_id: str) -> None:
        """Forget the wish of a person, if there is one."""

    def due(self, *, now: datetime, limit: int) -> Sequence[WeeklySummary]:
        """Return those that are due, the one that has been due longest first."""
