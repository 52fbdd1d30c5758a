"""What a call may cost, and what it did cost.

Provider prices are decimal text in USD per token. They are kept as integers in units
of 10^-30 USD, so that a price list of doubles is exact and sums need no rounding. The
only rounding is the last step, from USD to microcredits, upwards.

Rules of the price list: prompt tokens include cached and cache-writing tokens,
completion tokens include reasoning tokens, and a prompt above a tier's threshold
moves every token of the call, output too, to that tier (LiteLLM's cost calculator,
``litellm_core_utils/llm_cost_calc/utils.py``).
"""

from __future__ import annotations

from creditcore.domain.pricing.exact import price_units, usd_text
from creditcore.domain.pricing.image_counts import IMAGE_COUNTS, ImageCount
from creditcore.domain.pricing.model_price import (
    Cost,
    ModelPrice,
    PricedTokens,
    Rates,
    Tier,
)
from creditcore.domain.pricing.tariff import Ceiling, Tariff
from creditcore.domain.pricing.usage import MAX_TOKENS, Usage, make_usage

__all__ = [
    "IMAGE_COUNTS",
    "MAX_TOKENS",
    "Ceiling",
    "Cost",
    "ImageCount",
    "ModelPrice",
    "PricedTokens",
    "Rates",
    "Tariff",
    "Tier",
    "Usage",
    "make_usage",
    "price_units",
    "usd_text",
]
