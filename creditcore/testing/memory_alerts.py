"""Alerts for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creditcore.domain.alerts import Alert
from creditcore.ports.calls import Place
from creditcore.testing.memory_tables import MemoryTables, latest


@dataclass
class MemoryAlerts:
    """Alerts for the operator."""

    tables: MemoryTables

    def add(self, alert: Alert) -> None:
        self.tables.alerts.setdefault(alert.key, alert)

    def recent(
        self, *, limit: int, only_open: bool = False, before: Place | None = None
    ) -> Sequence[Alert]:
        chosen = [row for row in self.tables.alerts.values() if row.is_open or not only_open]
        return latest(chosen, lambda row: (row.at, row.key), limit, before)

    def lock(self, key: str) -> Alert | None:
        return self.tables.alerts.get(key)

    def save(self, alert: Alert) -> None:
        self.tables.alerts[alert.key] = alert
