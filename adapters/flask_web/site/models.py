"""The catalogue of models: what each costs, in money paid or in balance."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Blueprint, Response, jsonify, render_template, request

from adapters.flask_web.context import services, settings
from adapters.flask_web.web.figures import balance_usd, paid_usd, shown_rate
from adapters.flask_web.web.model_features import FEATURES, features_shown
from adapters.flask_web.web.model_offers import ModelOffer
from creditcore.domain.figures import rounded
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Rates, Usage

blueprint = Blueprint("models", __name__, url_prefix="/models")

TYPICAL = Usage(prompt_tokens=1_000, completion_tokens=500)
_MILLION = 1_000_000
_PAST_PRICES = 10
_MAX_TEXT_LENGTH = 200
_A_MINUTE_S = 60
_SORTS = ("model", "input", "cached", "output", "context", "answer", "typical")


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of the catalogue.

    Attributes:
        features: What else it can do, as far as the price list says so.
        typical: What 1,000 tokens of prompt and 500 of answer come to; of a model that is sold
            by something else, as much of it as its price is read by.
    """

    offer: ModelOffer
    mode: str
    features: Sequence[str]
    typical: Credits

    @classmethod
    def of(cls, price: ModelPrice) -> Listed:
        """Price a model for the catalogue."""
        tariff = settings().tariff
        offer = ModelOffer.of(price, tariff)
        typical = (
            offer.per_sale if offer.unit else price.tariff(tariff).charge(price.cost_units(TYPICAL))
        )
        return cls(offer, price.mode, features_shown(price.features), typical)

    def key(self, sort: str) -> object:
        """Return what the catalogue is sorted by; what is not stated comes last."""
        offer = self.offer
        columns: dict[str, object] = {
            "model": offer.model,
            "input": offer.input_per_million.microcredits,
            "cached": offer.cached_per_million.microcredits,
            "output": offer.output_per_million.microcredits,
            "context": -(offer.max_input_tokens or 0),
            "answer": -(offer.max_output_tokens or 0),
            "typical": self.typical.microcredits,
        }
        return columns[sort]


@dataclass(frozen=True, slots=True)
class Unit:
    """What prices are shown in.

    Attributes:
        text: Turns an amount of balance into what is read.
    """

    name: str
    label: str
    text: Callable[[Credits], str]


def units() -> dict[str, Unit]:
    """Return what prices can be shown in: money paid first."""
    found = {"paid": Unit("paid", "US dollars paid", lambda c: f"${rounded(paid_usd(c))}")}
    rate = shown_rate()
    if rate is not None:
        ratio = Decimal(rate.numerator) / Decimal(rate.denominator)
        found["local"] = Unit(
            "local",
            f"{rate.quote} paid, about",
            lambda c: f"{rate.quote}\u00a0{rounded(paid_usd(c) * ratio)}",
        )
    found["balance"] = Unit("balance", "Balance spent", lambda c: f"${rounded(balance_usd(c))}")
    return found


@blueprint.get("")
def show() -> str:
    """List every model, searched and sorted as the address says."""
    search = request.args.get("q", "").strip()[:_MAX_TEXT_LENGTH]
    sort = request.args.get("sort", "model")
    sort = sort if sort in _SORTS else "model"
    all_units = units()
    unit = all_units.get(request.args.get("unit", ""), all_units["paid"])
    listed = [Listed.of(price) for price in services().calls.prices.all()]
    feature = request.args.get("can", "")
    feature = feature if feature in FEATURES else ""
    found = [
        each
        for each in listed
        if search.lower() in each.offer.model.lower() and feature in {"", *each.features}
    ]
    return render_template(
        "site/models.html",
        page="models",
        models=sorted(found, key=lambda each: (each.key(sort), each.offer.model)),
        count=len(listed),
        search=search,
        feature=feature,
        features=features_shown({name for each in listed for name in each.features}),
        sort=sort,
        unit=unit,
        units=all_units,
    )


@blueprint.get("/index.json")
def as_json() -> Response:
    """Return every model with its prices, for programs; the same for all."""
    answer = jsonify(
        object="list",
        data=[
            {
                "id": each.offer.model,
                "mode": each.mode,
                "features": each.features,
                "max_input_tokens": each.offer.max_input_tokens,
                "max_output_tokens": each.offer.max_output_tokens,
                "unit": each.offer.unit,
                "credits_per_unit": each.offer.per_unit_text,
                "credits_per_million_tokens": {
                    "input": str(each.offer.input_per_million),
                    "cached_input": str(each.offer.cached_per_million),
                    "output": str(each.offer.output_per_million),
                },
                "paid_usd_per_million_tokens": {
                    "input": f"{paid_usd(each.offer.input_per_million).normalize():f}",
                    "cached_input": f"{paid_usd(each.offer.cached_per_million).normalize():f}",
                    "output": f"{paid_usd(each.offer.output_per_million).normalize():f}",
                },
            }
            for each in map(Listed.of, services().calls.prices.all())
        ],
    )
    answer.cache_control.public = True
    answer.cache_control.max_age = _A_MINUTE_S
    return answer


@blueprint.get("/<path:name>")
def one(name: str) -> str:
    """Show one model: its prices, its tiers, and how to call it."""
    price = services().calls.prices.find(name)
    all_units, history = units(), _history(name)
    return render_template(
        "site/model.html",
        page="models",
        model=Listed.of(price),
        price=price,
        tiers=_tiers(price),
        units=list(all_units.values()),
        history=history,
        since=history[0][0] if history else None,
        call=_call(price),
    )


def _call(price: ModelPrice) -> str:
    """Return how a chat model is called from a shell; nothing for all others."""
    if price.mode != "chat":
        return ""
    asked = {"model": price.model, "messages": [{"role": "user", "content": "Habari?"}]}
    return (
        f"curl {settings().base_url}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $CREDITCORE_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(asked, ensure_ascii=False))}"
    )


def _history(model: str) -> Sequence[tuple[datetime, Credits | None, Credits | None]]:
    """Return when the price changed, and what a million tokens read and written cost then."""
    tariff = settings().tariff
    past = services().calls.prices.catalogue.history(model, limit=_PAST_PRICES)
    return [
        (each.at, None, None)
        if each.price is None
        else (
            each.at,
            each.price.tariff(tariff).charge(each.price.rates.input * _MILLION),
            each.price.tariff(tariff).charge(each.price.rates.output * _MILLION),
        )
        for each in past
        if each.price is None or each.price.unit is None
    ]


def _tiers(price: ModelPrice) -> Sequence[tuple[int | None, Sequence[tuple[str, Credits]]]]:
    """Return the prices of tokens, by the length of a prompt above which they count."""
    if price.unit is not None and not (price.rates.input or price.rates.output):
        return []
    return [
        (None, _rows(price, price.rates)),
        *((tier.above_prompt_tokens, _rows(price, tier.rates)) for tier in price.tiers),
    ]


def _rows(price: ModelPrice, rates: Rates) -> Sequence[tuple[str, Credits]]:
    """Return the price of a million tokens of each kind, where it is one of its own."""
    tariff = price.tariff(settings().tariff)
    kinds = (
        ("Input", rates.input, None),
        ("Input, read from cache", rates.cache_read, rates.input),
        ("Input, written to cache", rates.cache_write, rates.input),
        ("Output", rates.output, None if price.unit is None else 0),
        ("Output, reasoning", rates.reasoning, rates.output),
    )
    return [(name, tariff.charge(each * _MILLION)) for name, each, same in kinds if each != same]
