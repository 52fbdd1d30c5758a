"""In-memory readings of checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from creditcore.domain.monitoring import Reading


@dataclass
class MemoryMonitoringLog:
    """Readings in a dictionary, by number."""

    table: dict[int, Reading]

    def add(self, reading: Reading) -> None:
        number = max(self.table, default=0) + 1
        self.table[number] = replace(reading, number=number)

    def recent(self, check: str, *, limit: int) -> Sequence[Reading]:
        return [each for each in self.table.values() if each.check == check][::-1][:limit]

    def forget(self, *, before: datetime, limit: int) -> int:
        old = [number for number, each in self.table.items() if each.at < before][:limit]
        for number in old:
            del self.table[number]
        return len(old)
