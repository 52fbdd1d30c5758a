"""What the last thirty days would have cost on another model, from one's own tokens."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from adapters.flask_web.context import services, settings
from adapters.flask_web.web.account import account
from adapters.flask_web.web.session import for_people
from adapters.flask_web.web.zone import zone
from creditcore.domain.money import Credits
from creditcore.domain.periods import last_days
from creditcore.domain.pricing import ModelPrice, Usage
from creditcore.domain.usage_hours import NOTHING_USED, Tally
from creditcore.ports.usage_hours import UsageOf

blueprint = Blueprint("what_if", __name__, url_prefix="/dashboard/analytics/what-if")

_DAYS = 30


@dataclass(frozen=True, slots=True)
class Other:
    """Another model, and what the same tokens come to on it."""

    model: str
    cost: Credits
    difference: Credits


@blueprint.get("")
@for_people
def show() -> str:
    """Price the tokens of one model on every other model."""
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
    period = last_days(_DAYS, services().clock.now(), zone())
    report = services().books.insight.add_up(UsageOf(wallet.id), period, by_model=True)
    by_model = {model: tally for model, tally in report.by_model().items() if tally.tokens}
    asked = request.args.get("model", "")
    asked = asked if asked in by_model else next(iter(by_model), "")
    tally = by_model.get(asked, NOTHING_USED)
    others = [
        _other(price, tally)
        for price in services().calls.prices.all()
        if price.mode == "chat" and price.unit is None
    ]
    return render_template(
        "dashboard/what_if.html",
        page="what_if",
        section="analytics",
        models=list(by_model),
        asked=asked,
        tally=tally,
        others=sorted(others, key=lambda each: (each.cost.microcredits, each.model)),
    )


def _other(price: ModelPrice, tally: Tally) -> Other:
    """Price all tokens at the lowest tier: how long each prompt was is not known any more."""
    usage = Usage(
        prompt_tokens=tally.prompt_tokens,
        completion_tokens=tally.completion_tokens,
        cached_tokens=tally.cached_tokens,
        cache_write_tokens=tally.cache_write_tokens,
        reasoning_tokens=tally.reasoning_tokens,
    )
    flat = ModelPrice(model=price.model, rates=price.rates)
    cost = price.tariff(settings().tariff).charge(flat.cost_units(usage))
    return Other(price.model, cost, cost - tally.charged)
