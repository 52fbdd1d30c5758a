"""What prices come from: ``listed_models``, ``price_rules`` and ``price_changes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from creditcore.domain.catalogue import ListedModel, PastPrice, PriceChange, PriceRule, RuleKind
from creditcore.domain.pricing import ModelPrice, Rates

from ..instants import instant, micros
from ..session import VALUES_PER_STATEMENT, Session, chunks, flat, tuples
from .prices import (
    rates_columns,
    rates_document,
    rates_from_document,
    snapshot_from_row,
    unit_document,
    unit_from_document,
)

LISTED_COLUMNS = ("model", "price", "fault", "listed_at")
RULE_COLUMNS = (
    "id",
    "kind",
    "pattern",
    "rates",
    "factor",
    "reason",
    "created_at",
    "created_by",
    "ends_at",
    "ended_at",
)
CHANGE_COLUMNS = ("model", "snapshot", "markup", "at")

_PRICES_ARE_WRITTEN = 7_202_611
"""Names the lock of PostgreSQL; in a file there is one writer anyway."""


class PonyCatalogue:
    """Lists are replaced, rules and changes are appended."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self) -> None:
        if self._session.engine.dialect == "postgresql":
            self._session.rows(f"SELECT pg_advisory_xact_lock({_PRICES_ARE_WRITTEN}) AS locked")

    def listed(self) -> Sequence[ListedModel]:
        rows = self._session.rows(
            f"SELECT {', '.join(LISTED_COLUMNS)} FROM listed_models ORDER BY model"
        )
        return [
            ListedModel(
                model=row.model,
                price=None if row.price is None else _price_from(row.model, json.loads(row.price)),
                fault=row.fault,
            )
            for row in rows
        ]

    def listed_at(self) -> datetime | None:
        [row] = self._session.rows("SELECT MAX(listed_at) AS at FROM listed_models")
        return None if row.at is None else instant(row.at)

    def keep_listed(self, models: Sequence[ListedModel], *, at: datetime) -> None:
        self._session.change("DELETE FROM listed_models")
        rows = [
            (
                each.model,
                None if each.price is None else json.dumps(_price_document(each.price)),
                each.fault,
                micros(at),
            )
            for each in models
        ]
        for some in chunks(rows, VALUES_PER_STATEMENT // len(LISTED_COLUMNS)):
            self._session.change(
                f"INSERT INTO listed_models ({', '.join(LISTED_COLUMNS)}) VALUES {tuples(some)}",
                flat(some),
            )

    def rules(self) -> Sequence[PriceRule]:
        rows = self._session.rows(
            f"SELECT {', '.join(RULE_COLUMNS)} FROM price_rules ORDER BY created_at DESC, id"
        )
        return [_rule_from_row(row) for row in rows]

    def add_rule(self, rule: PriceRule) -> None:
        values = (
            rule.id,
            str(rule.kind),
            rule.pattern,
            None if rule.rates is None else json.dumps(_terms_document(rule, rule.rates)),
            rule.factor,
            rule.reason,
            micros(rule.created_at),
            rule.created_by,
            None if rule.ends_at is None else micros(rule.ends_at),
            None if rule.ended_at is None else micros(rule.ended_at),
        )
        self._session.insert("price_rules", RULE_COLUMNS, [values])

    def save_rule(self, rule: PriceRule) -> None:
        ended = None if rule.ended_at is None else micros(rule.ended_at)
        self._session.change("UPDATE price_rules SET ended_at = ? WHERE id = ?", (ended, rule.id))

    def note(self, changed: Sequence[PriceChange], *, at: datetime) -> None:
        rows = [
            (
                each.model,
                None if each.after is None else each.after.snapshot,
                "1" if each.after is None else each.after.markup,
                micros(at),
            )
            for each in changed
        ]
        for some in chunks(rows, VALUES_PER_STATEMENT // len(CHANGE_COLUMNS)):
            self._session.change(
                f"INSERT INTO price_changes ({', '.join(CHANGE_COLUMNS)}) VALUES {tuples(some)}",
                flat(some),
            )

    def history(self, model: str, *, limit: int) -> Sequence[PastPrice]:
        rows = self._session.rows(
            "SELECT c.model, c.markup, c.at, s.rates, s.tiers FROM price_changes c"
            " LEFT JOIN price_snapshots s ON s.id = c.snapshot"
            " WHERE c.model = ? ORDER BY c.number DESC LIMIT ?",
            (model, limit),
        )
        return [
            PastPrice(
                model=row.model,
                price=None
                if row.rates is None
                else replace(snapshot_from_row(row), markup=row.markup),
                at=instant(row.at),
            )
            for row in rows
        ]


def _rule_from_row(row: Any) -> PriceRule:
    terms = None if row.rates is None else json.loads(row.rates)
    return PriceRule(
        id=row.id,
        kind=RuleKind(row.kind),
        pattern=row.pattern,
        rates=None if terms is None else rates_from_document(terms),
        unit=None if terms is None else unit_from_document(terms),
        factor=row.factor,
        reason=row.reason,
        created_at=instant(row.created_at),
        created_by=row.created_by,
        ends_at=None if row.ends_at is None else instant(row.ends_at),
        ended_at=None if row.ended_at is None else instant(row.ended_at),
    )


def _terms_document(rule: PriceRule, rates: Rates) -> dict[str, str]:
    return rates_document(rates) | unit_document(rule.unit)


def _price_document(price: ModelPrice) -> dict[str, object]:
    rates, tiers = rates_columns(price)
    return {
        "rates": rates,
        "tiers": tiers,
        "max_input_tokens": price.max_input_tokens,
        "max_output_tokens": price.max_output_tokens,
        "mode": price.mode,
        "features": sorted(price.features),
        "retires_on": None if price.retires_on is None else price.retires_on.isoformat(),
    }


def _price_from(model: str, document: dict[str, Any]) -> ModelPrice:
    retires_on = document["retires_on"]
    named = SimpleNamespace(model=model, rates=document["rates"], tiers=document["tiers"])
    return replace(
        snapshot_from_row(named),
        max_input_tokens=document["max_input_tokens"],
        max_output_tokens=document["max_output_tokens"],
        mode=document["mode"],
        features=frozenset(document["features"]),
        retires_on=None if retires_on is None else date.fromisoformat(retires_on),
    )
