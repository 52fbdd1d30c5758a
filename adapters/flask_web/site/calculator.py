"""What calls come to: a form whose answer is in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.flask_web.context import services, settings
from adapters.flask_web.web.model_offers import example_model
from creditcore.domain.errors import ModelNotFoundError
from creditcore.domain.money import MAX_INT64, Credits
from creditcore.domain.pricing import Usage

_DAYS_OF_MONTH = 30
_MOST = {"prompt": 10_000_000, "answer": 1_000_000, "calls": 10_000_000}
_DEFAULTS = {"prompt": "1000", "answer": "500", "calls": "200"}


@dataclass(slots=True)
class Estimate:
    """What a visitor asks, and what it comes to.

    Attributes:
        typed: What stands in the fields, right or wrong.
        errors: What is wrong, by field.
    """

    model: str
    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    per_call: Credits | None = None
    per_day: Credits | None = None
    per_month: Credits | None = None


def estimate(args: Mapping[str, str]) -> Estimate:
    """Read the form and work it out; without one, for an everyday call."""
    typed = {name: args.get(name, most).strip()[:20] for name, most in _DEFAULTS.items()}
    found = Estimate(args.get("model", "") or example_model(), typed)
    numbers = {}
    for name, text in typed.items():
        plain = text.replace(",", "")
        if plain.isascii() and plain.isdigit() and int(plain) <= _MOST[name]:
            numbers[name] = int(plain)
        else:
            found.errors[name] = f"A whole number up to {_MOST[name]:,}."
    try:
        price = services().calls.prices.find(found.model)
    except ModelNotFoundError:
        if services().calls.prices.all():
            found.errors["model"] = "Choose a model from the list."
        return found
    if found.errors:
        return found
    usage = Usage(prompt_tokens=numbers["prompt"], completion_tokens=numbers["answer"])
    each = price.tariff(settings().tariff).charge(price.cost_units(usage))
    day = each.microcredits * numbers["calls"]
    if day * _DAYS_OF_MONTH > MAX_INT64:
        found.errors["calls"] = "That is more than there is money."
        return found
    found.per_call, found.per_day = each, Credits(day)
    found.per_month = Credits(day * _DAYS_OF_MONTH)
    return found
