"""Alerts in ``system_alerts``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.pony_store.instants import instant, micros
from adapters.pony_store.session import Session, flat, tuples
from creditcore.domain.alerts import Alert, Severity

ALERT_COLUMNS = ("key", "severity", "subject", "message", "at")


class PonyAlerts:
    """What somebody must look at."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, alert: Alert) -> None:
        """Raise an alert; a repeat of its key changes nothing."""
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

    def recent(self, *, limit: int) -> Sequence[Alert]:
        """Return the latest alerts, newest first."""
        rows = self._session.rows(
            f"SELECT {', '.join(ALERT_COLUMNS)} FROM system_alerts"
            " ORDER BY at DESC, key DESC LIMIT ?",
            (limit,),
        )
        return [alert_from_row(row) for row in rows]


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
    )
