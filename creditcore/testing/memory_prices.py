"""The price list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.pricing import ModelPrice
from creditcore.testing.memory_tables import MemoryTables


@dataclass
class MemoryPrices:
    """The price list."""

    tables: MemoryTables

    def all(self) -> Sequence[ModelPrice]:
        return sorted(self.tables.prices.values(), key=lambda price: price.model)

    def replace_all(self, prices: Sequence[ModelPrice], *, at: datetime) -> None:  # noqa: ARG002
        self.tables.prices.clear()
        self.tables.prices.update({price.model: price for price in prices})
        self.tables.snapshots.update({price.snapshot: price for price in prices})

    def find_snapshot(self, snapshot: str) -> ModelPrice | None:
        return self.tables.snapshots.get(snapshot)
