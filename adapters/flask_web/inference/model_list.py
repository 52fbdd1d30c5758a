"""The models that are offered, as facts that each protocol writes in its own way."""

from __future__ import annotations

from adapters.flask_web.web.model_offers import ModelOffer
from creditcore.domain.money import decimal_ratio, div_ceil
from creditcore.domain.pricing import ModelPrice, Tariff, usd_text
from creditcore.ports.inference import OfferedModel


def offered(price: ModelPrice, *, tariff: Tariff, markup: str) -> OfferedModel:
    """Return a model with what a token costs below every tier.

    Args:
        price: What its provider asks.
        tariff: Turns that into credits.
        markup: Turns that into the money which pays for those credits, as decimal text.
    """
    offer = ModelOffer.of(price, tariff)
    rates = price.rates
    usd = {
        "prompt": rates.input,
        "completion": rates.output,
        "input_cache_read": rates.cache_read,
        "input_cache_write": rates.cache_write,
    }
    per_unit = {}
    if price.unit is not None:
        usd[str(price.unit.unit)] = price.unit.price_units
        per_unit[str(price.unit.unit)] = str(offer.per_unit)
    numerator, denominator = decimal_ratio(markup)
    own_numerator, own_denominator = decimal_ratio(price.markup)
    numerator, denominator = numerator * own_numerator, denominator * own_denominator
    return OfferedModel(
        model=price.model,
        mode=price.mode,
        features=price.features,
        max_input_tokens=price.max_input_tokens,
        max_output_tokens=price.max_output_tokens,
        usd={name: usd_text(div_ceil(rate * numerator, denominator)) for name, rate in usd.items()},
        credits_per_million={
            "input": str(offer.input_per_million),
            "cached_input": str(offer.cached_per_million),
            "output": str(offer.output_per_million),
        },
        credits_per_unit=per_unit,
    )
