"""The price list in ``models``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from creditcore.domain.pricing import ModelPrice, Rates, Tier
from creditcore.domain.units import Unit, UnitPrice

from ..instants import micros
from ..session import VALUES_PER_STATEMENT, Session, chunks, flat, marks, tuples

PRICE_COLUMNS = (
    "model",
    "rates",
    "tiers",
    "max_input_tokens",
    "max_output_tokens",
    "mode",
    "features",
    "markup",
    "retires_on",
    "updated_at",
)

_RATES = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")

SNAPSHOT_COLUMNS = ("id", "model", "rates", "tiers", "first_seen_at")

_REPLACED = ", ".join(f"{column} = excluded.{column}" for column in PRICE_COLUMNS)


class PonyPrices:
    """What each model costs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> Sequence[ModelPrice]:
        rows = self._session.rows(f"SELECT {', '.join(PRICE_COLUMNS)} FROM models ORDER BY model")
        return [price_from_row(row) for row in rows]

    def replace_all(self, prices: Sequence[ModelPrice], *, at: datetime) -> None:
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


def price_values(price: ModelPrice, *, at: datetime) -> tuple[object, ...]:
    """Return a row of ``models``."""
    return (
        price.model,
        *rates_columns(price),
        price.max_input_tokens,
        price.max_output_tokens,
        price.mode,
        " ".join(sorted(price.features)),
        price.markup,
        None if price.retires_on is None else price.retires_on.isoformat(),
        micros(at),
    )


def price_from_row(row: Any) -> ModelPrice:
    """Return the price of a row."""
    return replace(
        snapshot_from_row(row),
        max_input_tokens=row.max_input_tokens,
        max_output_tokens=row.max_output_tokens,
        mode=row.mode,
        features=frozenset(row.features.split()),
        markup=row.markup,
        retires_on=None if row.retires_on is None else date.fromisoformat(row.retires_on),
    )


def snapshot_values(price: ModelPrice, *, at: datetime) -> tuple[object, ...]:
    """Return a row of ``price_snapshots``."""
    return (price.snapshot, price.model, *rates_columns(price), micros(at))


def snapshot_from_row(row: Any) -> ModelPrice:
    """Return the rates of a row, without the model's limits."""
    tiers = tuple(
        Tier(tier["above_prompt_tokens"], rates_from_document(tier["rates"]))
        for tier in json.loads(row.tiers)
    )
    document = json.loads(row.rates)
    return ModelPrice(
        model=row.model,
        rates=rates_from_document(document),
        tiers=tiers,
        unit=unit_from_document(document),
    )


def rates_columns(price: ModelPrice) -> tuple[str, str]:
    """Return what names a price, in two columns."""
    tiers = [
        {"above_prompt_tokens": tier.above_prompt_tokens, "rates": rates_document(tier.rates)}
        for tier in price.tiers
    ]
    rates = rates_document(price.rates)
    if price.unit is not None:
        rates |= {"unit": str(price.unit.unit), "unit_price": str(price.unit.price_units)}
    return json.dumps(rates), json.dumps(tiers)


def rates_document(rates: Rates) -> dict[str, str]:
    """Return rates as they are kept."""
    # As text: a rate has up to 36 digits, and readers other than Python round such numbers.
    return {name: str(getattr(rates, name)) for name in _RATES}


def rates_from_document(document: dict[str, str]) -> Rates:
    """Return rates that were kept."""
    return Rates(**{name: int(document[name]) for name in _RATES})


def unit_document(unit: UnitPrice | None) -> dict[str, str]:
    """Return what is kept of a unit beside rates: nothing where there is none."""
    if unit is None:
        return {}
    return {"unit": str(unit.unit), "unit_price": str(unit.price_units)}


def unit_from_document(document: dict[str, str]) -> UnitPrice | None:
    """Return the unit that was kept beside rates."""
    if "unit" not in document:
        return None
    return UnitPrice(Unit(document["unit"]), int(document["unit_price"]))
