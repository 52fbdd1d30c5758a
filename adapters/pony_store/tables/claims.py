"""Names that may be taken so often, in ``claims``."""

from __future__ import annotations

from datetime import datetime

from ..instants import micros
from ..session import Session


class PonyClaims:
    """A row for each place that is taken; its key keeps two from taking the same."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, *, now: datetime, until: datetime, places: int = 1) -> bool:
        self._session.change(
            "DELETE FROM claims WHERE name = ? AND until <= ?", (name, micros(now))
        )
        for place in range(places):
            taken = self._session.change(
                "INSERT INTO claims (name, place, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (name, place, micros(until)),
            )
            if taken:
                return True
        return False

    def release(self, name: str) -> None:
        self._session.change("DELETE FROM claims WHERE name = ?", (name,))

    def forget(self, *, now: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM claims WHERE (name, place) IN"
            " (SELECT name, place FROM claims WHERE until <= ? ORDER BY until LIMIT ?)",
            (micros(now), limit),
        )
