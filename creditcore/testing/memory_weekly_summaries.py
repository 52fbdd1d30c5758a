"""Who is mailed each week what they used, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.weekly_summary import WeeklySummary


@dataclass
class MemoryWeeklySummaries:
    """Wishes by person."""

    table: dict[str, WeeklySummary]

    def find(self, person_id: str) -> WeeklySummary | None:
        return self.table.get(person_id)

    def lock(self, person_id: str) -> WeeklySummary | None:
        return self.table.get(person_id)

    def save(self, summary: WeeklySummary) -> None:
        self.table[summary.person_id] = summary

    def remove(self, person_id: str) -> None:
        self.table.pop(person_id, None)

    def due(self, *, now: datetime, limit: int) -> Sequence[WeeklySummary]:
        found = [summary for summary in self.table.values() if summary.due_at <= now]
        return sorted(found, key=lambda each: (each.due_at, each.person_id))[:limit]
