"""What each model costs here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from adapters.flask_web.context import services
from adapters.flask_web.web.buckets import SALES
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Tariff
from creditcore.domain.units import Unit

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """Prices per million tokens below every tier, markup included, rounded up.

    Attributes:
        unit: What the model is sold by besides tokens, where that is so.
        per_unit: What one of it costs.
        per_sale: What as many of them cost as prices are read by: an image, a minute.
        has_tokens: Whether tokens of text are a part of its price.
    """

    model: str
    input_per_million: Credits
    output_per_million: Credits
    cached_per_million: Credits
    max_input_tokens: int | None
    max_output_tokens: int | None
    has_tiers: bool
    unit: Unit | None
    per_unit: Credits | None
    per_sale: Credits
    has_tokens: bool

    @classmethod
    def of(cls, price: ModelPrice, tariff: Tariff) -> Self:
        """Price a million tokens of each kind."""
        rates, unit, tariff = price.rates, price.unit, price.tariff(tariff)
        sale = unit.price_units * SALES[unit.unit].units if unit else 0
        return cls(
            model=price.model,
            input_per_million=tariff.charge(rates.input * _MILLION),
            output_per_million=tariff.charge(rates.output * _MILLION),
            cached_per_million=tariff.charge(rates.cache_read * _MILLION),
            max_input_tokens=price.max_input_tokens,
            max_output_tokens=price.max_output_tokens,
            has_tiers=bool(price.tiers),
            unit=unit.unit if unit else None,
            per_unit=tariff.charge(unit.price_units) if unit else None,
            per_sale=tariff.charge(sale),
            has_tokens=unit is None or bool(rates.input or rates.output),
        )

    @property
    def per_unit_text(self) -> str | None:
        """What one unit costs, in credits as decimal text."""
        return None if self.per_unit is None else str(self.per_unit)

    @property
    def sold_by(self) -> str:
        """How many units ``per_sale`` is for, in words; empty where tokens are sold."""
        return SALES[self.unit].words if self.unit else ""


_FALLBACK_MODEL = "gpt-4o-mini"


def example_model() -> str:
    """Return a model that the examples can name: one that exists here, where any does."""
    models = [price.model for price in services().calls.prices.all() if price.mode == "chat"]
    return _FALLBACK_MODEL if _FALLBACK_MODEL in models or not models else models[0]
