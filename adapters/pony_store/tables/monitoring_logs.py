"""Readings of checks in ``monitoring_logs``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.monitoring import Finding, Reading

from ..instants import instant, micros
from ..session import Session, tuples

READING_COLUMNS = ("check_name", "is_healthy", "detail", "value", "at")
_COLUMNS = ", ".join(READING_COLUMNS)


def reading_values(reading: Reading) -> tuple[object, ...]:
    """Return a row of ``monitoring_logs``, without the number that the database gives it."""
    found = reading.finding
    return (reading.check, found.is_healthy, found.detail, found.value, micros(reading.at))


def reading_from_row(row: Any) -> Reading:
    """Return the reading of a row."""
    return Reading(
        number=row.number,
        check=row.check_name,
        finding=Finding(is_healthy=bool(row.is_healthy), detail=row.detail, value=row.value),
        at=instant(row.at),
    )


class PonyMonitoringLog:
    """Numbers are given by the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, reading: Reading) -> None:
        values = reading_values(reading)
        self._session.change(
            f"INSERT INTO monitoring_logs ({_COLUMNS}) VALUES {tuples([values])}", values
        )

    def recent(self, check: str, *, limit: int) -> Sequence[Reading]:
        rows = self._session.rows(
            f"SELECT number, {_COLUMNS} FROM monitoring_logs WHERE check_name = ?"
            " ORDER BY number DESC LIMIT ?",
            (check, limit),
        )
        return [reading_from_row(row) for row in rows]

    def forget(self, *, before: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM monitoring_logs WHERE number IN ("
            "SELECT number FROM monitoring_logs WHERE at < ? ORDER BY at LIMIT ?)",
            (micros(before), limit),
        )
