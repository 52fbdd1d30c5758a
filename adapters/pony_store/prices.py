"""The price list in ``models``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.pony_store.mapping import (
    PRICE_COLUMNS,
    SNAPSHOT_COLUMNS,
    price_from_row,
    price_values,
    snapshot_from_row,
    snapshot_values,
)
from adapters.pony_store.session import VALUES_PER_STATEMENT, Session, chunks, flat, marks, tuples
from creditcore.domain.pricing import ModelPrice

_REPLACED = ", ".join(f"{column} = excluded.{column}" for column in PRICE_COLUMNS)


class PonyPrices:
    """What each model costs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> Sequence[ModelPrice]:
        """Return every price, by model name."""
        rows = self._session.rows(f"SELECT {', '.join(PRICE_COLUMNS)} FROM models ORDER BY model")
        return [price_from_row(row) for row in rows]

    def replace_all(self, prices: Sequence[ModelPrice], *, at: datetime) -> None:
        """Make this the list: models that are missing from it are no longer offered."""
        listed = {price.model: price_values(price, at=at) for price in prices}
        stored = self._session.rows("SELECT model FROM models")
        gone = sorted({row.model for row in stored} - listed.keys())
        for names in chunks(gone, VALUES_PER_STATEMENT):
            self._session.change(f"DELETE FROM models WHERE model IN ({marks(len(names))})", names)
        by_name = (listed[model] for model in sorted(listed))
        for rows in chunks(by_name, VALUES_PER_STATEMENT // len(PRICE_COLUMNS)):
            self._session.change(
                f"INSERT INTO models ({', '.join(PRICE_COLUMNS)}) VALUES {tuples(rows)}"
                f" ON CONFLICT (model) DO UPDATE SET {_REPLACED}",
                flat(rows),
            )
        snapshots = {price.snapshot: snapshot_values(price, at=at) for price in prices}
        by_name = (snapshots[name] for name in sorted(snapshots))
        for rows in chunks(by_name, VALUES_PER_STATEMENT // len(SNAPSHOT_COLUMNS)):
            self._session.change(
                f"INSERT INTO price_snapshots ({', '.join(SNAPSHOT_COLUMNS)})"
                f" VALUES {tuples(rows)} ON CONFLICT (id) DO NOTHING",
                flat(rows),
            )

    def find_snapshot(self, snapshot: str) -> ModelPrice | None:
        """Return a price as it was when it was in the list, without the model's limits."""
        rows = self._session.rows(
            f"SELECT {', '.join(SNAPSHOT_COLUMNS)} FROM price_snapshots WHERE id = ?", (snapshot,)
        )
        return snapshot_from_row(rows[0]) if rows else None
