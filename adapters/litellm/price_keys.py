"""Which names of LiteLLM's price list are understood: a price that is not would be given away.

LiteLLM's map has some hundred names, and each version more (1.109.1: other cache ages, service
classes, tiers). They are read by their parts. What remains is looked at: a price of something that
no request can ask for here costs nothing; any other makes its model one that is not sold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

SERVICE_CLASSES = (
    "balanced",
    "batches",
    "decisions",
    "flex",
    "priority",
    "ultrafast",
)
"""How quickly a provider works. Requests here cannot choose: ``service_tier`` is refused."""

_READ = re.compile(
    r"(?:(?:input|output)_cost_per_token|output_cost_per_reasoning_token"
    r"|cache_(?:read|creation)_input_token_cost)"
    r"(?:_above_[0-9]{1,9}(?:k?_tokens|hr))*"
    rf"(?:_(?:{'|'.join(SERVICE_CLASSES)}))?"
)
"""Prices of tokens of text: by tier, by the age of a cache, by service class."""

_NOT_ASKED_FOR = re.compile(
    # Sound and film are refused. Images are charged by the tokens that the provider counts.
    r".*_(?:audio|video|image|pixel)(?:_.*)?"
    # What tools of a provider cost: only functions of the client's own may be called.
    r"|(?:search_context|google_maps_grounding|web_search|file_search|vector_store"
    r"|code_interpreter|computer_use|ocr|annotation)_.*"
    # Another name of the same, or the same in a currency of the provider's.
    r"|input_cost_per_token_cache_hit|(?:input|output)_dbu_cost_per_token"
    # The dearer price of the day counts all day.
    r"|off_peak_pricing"
    # No price: the names of those that the operator wrote, on every model since 1.108.
    r"|pricing_overrides"
)
TIERS = "tiered_pricing"


def not_understood(info: Mapping[str, Any]) -> str | None:
    """Return the name of a price that nothing here charges by; None where there is none.

    A price that is missing, null or zero is none.
    """
    return next((name for name in _priced(info) if not _is_known(name)), None)


def _priced(info: Mapping[str, Any]) -> Iterator[str]:
    for name, value in info.items():
        says_price = "cost" in name or "pricing" in name
        if says_price and value is not None and value is not False and value != Decimal(0):
            yield name


def _is_known(name: str) -> bool:
    return name == TIERS or any(known.fullmatch(name) for known in (_READ, _NOT_ASKED_FOR))
