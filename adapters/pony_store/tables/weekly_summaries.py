"""Who is mailed each week what they used, in ``weekly_summaries``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.weekly_summary import WeeklySummary

from ..instants import instant, micros
from ..session import Session

_SELECT = "SELECT person_id, due_at FROM weekly_summaries"


class PonyWeeklySummaries:
    """One wish for each person who has it, and nothing of all others."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, person_id: str) -> WeeklySummary | None:
        return self._find(person_id, "")

    def lock(self, person_id: str) -> WeeklySummary | None:
        return self._find(person_id, self._session.engine.row_lock)

    def save(self, summary: WeeklySummary) -> None:
        self._session.change(
            "INSERT INTO weekly_summaries (person_id, due_at) VALUES (?, ?)"
            " ON CONFLICT (person_id) DO UPDATE SET due_at = excluded.due_at",
            (summary.person_id, micros(summary.due_at)),
        )

    def remove(self, person_id: str) -> None:
        self._session.change("DELETE FROM weekly_summaries WHERE person_id = ?", (person_id,))

    def due(self, *, now: datetime, limit: int) -> Sequence[WeeklySummary]:
        rows = self._session.rows(
            f"{_SELECT} WHERE due_at <= ? ORDER BY due_at, person_id LIMIT ?",
            (micros(now), limit),
        )
        return [_summary(row) for row in rows]

    def _find(self, person_id: str, row_lock: str) -> WeeklySummary | None:
        rows = self._session.rows(f"{_SELECT} WHERE person_id = ?{row_lock}", (person_id,))
        return _summary(rows[0]) if rows else None


def _summary(row: Any) -> WeeklySummary:
    return WeeklySummary(person_id=row.person_id, due_at=instant(row.due_at))
