"""What each model costs here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from adapters.flask_web.context import services
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Tariff

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """Prices per million tokens below every tier, markup included, rounded up."""

    model: str
    input_per_million: Credits
    output_per_million: Credits
    cached_per_million: Credits
    max_input_tokens: int | None
    max_output_tokens: int | None
    has_tiers: bool

    @classmethod
    def of(cls, price: ModelPrice, tariff: Tariff) -> Self:
        """Price a million tokens of each kind."""
        rates = price.rates
        return cls(
            model=price.model,
            input_per_million=tariff.charge(rates.input * _MILLION),
            output_per_million=tariff.charge(rates.output * _MILLION),
            cached_per_million=tariff.charge(rates.cache_read * _MILLION),
            max_input_tokens=price.max_input_tokens,
            max_output_tokens=price.max_output_tokens,
            has_tiers=bool(price.tiers),
        )


_FALLBACK_MODEL = "gpt-4o-mini"


def example_model() -> str:
    """Return a model that the examples can name: one that exists here, where any does."""
    models = [price.model for price in services().prices.all() if price.mode == "chat"]
    return _FALLBACK_MODEL if _FALLBACK_MODEL in models or not models else models[0]
