"""Prices of models, and what an operator decided about them."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Model(entity):
        """A price. Rates are integers of 10^-30 USD per token, longer than 64 bits."""

        _table_ = "models"
        model = PrimaryKey(str, autostrip=False)
        rates = Required(str)
        tiers = Required(str)
        max_input_tokens = Optional(int, size=64)
        max_output_tokens = Optional(int, size=64)
        mode = Optional(str, autostrip=False)
        features = Optional(str, autostrip=False)
        markup = Required(str, autostrip=False)
        retires_on = Optional(str, nullable=True)
        updated_at = Required(int, size=64)

    class PriceSnapshot(entity):
        """A price as it was, for the receipts of calls that were priced by it."""

        _table_ = "price_snapshots"
        id = PrimaryKey(str, autostrip=False)
        model = Required(str, autostrip=False)
        rates = Required(str)
        tiers = Required(str)
        first_seen_at = Required(int, size=64)

    class ListedModel(entity):
        """A model as the model server lists it, sold or not."""

        _table_ = "listed_models"
        model = PrimaryKey(str, autostrip=False)
        price = Optional(str, nullable=True, autostrip=False)
        fault = Optional(str, autostrip=False)
        listed_at = Required(int, size=64)

    class PriceRule(entity):
        """What an operator has decided about prices."""

        _table_ = "price_rules"
        id = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        pattern = Required(str, autostrip=False)
        rates = Optional(str, nullable=True, autostrip=False)
        factor = Required(str, autostrip=False)
        reason = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        created_by = Optional(str, autostrip=False)
        ends_at = Optional(int, size=64)
        ended_at = Optional(int, size=64)

    class PriceChange(entity):
        """A price that became another; without a snapshot the model was not sold any more."""

        _table_ = "price_changes"
        number = PrimaryKey(int, size=64)
        model = Required(str, autostrip=False)
        snapshot = Optional(str, nullable=True, autostrip=False)
        markup = Required(str, autostrip=False)
        at = Required(int, size=64)
