"""Pages that everybody may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from flask import Blueprint, render_template

from adapters.flask_web import offers, session
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Tariff

blueprint = Blueprint("pages", __name__)

_MILLION = 1_000_000
_FALLBACK_MODEL = "gpt-4o-mini"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """What a model costs here, per million tokens, markup included."""

    model: str
    input_per_million: Credits
    output_per_million: Credits
    cached_per_million: Credits
    max_input_tokens: int | None
    has_tiers: bool

    @classmethod
    def of(cls, price: ModelPrice, tariff: Tariff) -> Self:
        """Price a million tokens of each kind, below every tier."""
        rates = price.rates
        return cls(
            model=price.model,
            input_per_million=tariff.charge(rates.input * _MILLION),
            output_per_million=tariff.charge(rates.output * _MILLION),
            cached_per_million=tariff.charge(rates.cache_read * _MILLION),
            max_input_tokens=price.max_input_tokens,
            has_tiers=bool(price.tiers),
        )


def example_model() -> str:
    """Return a model that the examples can name: one that exists here, where any does."""
    models = [price.model for price in session.services().prices.all() if price.mode == "chat"]
    return _FALLBACK_MODEL if _FALLBACK_MODEL in models or not models else models[0]


@blueprint.get("/")
def landing() -> str:
    """Say what this is."""
    return render_template(
        "landing.html",
        page="landing",
        signup_credits=session.settings().signup_credits,
        offers=offers.listed(),
        example_model=example_model(),
    )


@blueprint.get("/pricing")
def pricing() -> str:
    """Show what credits cost, and what they buy."""
    tariff = session.settings().tariff
    return render_template(
        "pricing.html",
        page="pricing",
        signup_credits=session.settings().signup_credits,
        offers=offers.listed(),
        models=[ModelOffer.of(price, tariff) for price in session.services().prices.all()],
    )
