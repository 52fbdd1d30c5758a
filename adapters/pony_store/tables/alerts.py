"""Alerts in ``system_alerts``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from creditcore.domain.alerts import Alert, Severity
from creditcore.ports.calls import Place

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, flat, tuples

ALERT_COLUMNS = ("key", "severity", "subject", "message", "at")
"""What raising an alert writes."""

STATE_COLUMNS = ("resolved_at", "acknowledged_at", "acknowledged_by")
"""What became of it; none while it is open."""

_COLUMNS = ", ".join((*ALERT_COLUMNS, *STATE_COLUMNS))


class PonyAlerts:
    """What an operator must look at."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, alert: Alert) -> None:
        self.add_all([alert])

    def add_all(self, alerts: Iterable[Alert]) -> None:
        """Raise alerts, by the order of their keys."""
        rows = sorted(alert_values(alert) for alert in alerts)
        if rows:
            self._session.change(
                f"INSERT INTO system_alerts ({', '.join(ALERT_COLUMNS)}) VALUES {tuples(rows)}"
                " ON CONFLICT DO NOTHING",
                flat(rows),
            )

    def recent(
        self, *, limit: int, only_open: bool = False, before: Place | None = None
    ) -> Sequence[Alert]:
        chosen = " AND resolved_at IS NULL AND acknowledged_at IS NULL" if only_open else ""
        values: list[object] = []
        if before is not None:
            chosen += " AND (at, key) < (?, ?)"
            values += [micros(before.created_at), before.reference]
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM system_alerts WHERE 1 = 1{chosen}"
            " ORDER BY at DESC, key DESC LIMIT ?",
            (*values, limit),
        )
        return [alert_from_row(row) for row in rows]

    def lock(self, key: str) -> Alert | None:
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM system_alerts WHERE key = ?{self._session.engine.row_lock}",
            (key,),
        )
        return alert_from_row(rows[0]) if rows else None

    def save(self, alert: Alert) -> None:
        key, *values = alert_values(alert)
        names = (*ALERT_COLUMNS[1:], *STATE_COLUMNS)
        self._session.change(
            f"UPDATE system_alerts SET {', '.join(f'{name} = ?' for name in names)} WHERE key = ?",
            (
                *values,
                micros_or_none(alert.resolved_at),
                micros_or_none(alert.acknowledged_at),
                alert.acknowledged_by,
                key,
            ),
        )


def alert_values(alert: Alert) -> tuple[object, ...]:
    """Return a row of ``system_alerts``."""
    return (alert.key, alert.severity.value, alert.subject, alert.message, micros(alert.at))


def alert_from_row(row: Any) -> Alert:
    """Return the alert of a row."""
    return Alert(
        key=row.key,
        severity=Severity(row.severity),
        subject=row.subject,
        message=row.message,
        at=instant(row.at),
        resolved_at=instant_or_none(row.resolved_at),
        acknowledged_at=instant_or_none(row.acknowledged_at),
        acknowledged_by=row.acknowledged_by or "",
    )
