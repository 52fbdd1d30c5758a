"""Models: what each costs at its provider, what it is sold for, and what it earned."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from adapters.flask_web.admin.frame import blueprint, page
from adapters.flask_web.admin.overview import usd
from adapters.flask_web.context import services, settings
from adapters.flask_web.web.formatting import provider_dollars
from adapters.flask_web.web.model_offers import ModelOffer
from adapters.flask_web.web.session import for_operators
from adapters.flask_web.web.zone import zone
from creditcore.domain.earnings import Earnings
from creditcore.domain.periods import last_days
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.usage_hours import NOTHING_USED, Tally

_DAYS = 30
_MILLION = 1_000_000
_MAX_TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ModelSale:
    """One model as it is sold, and what its calls came to in 30 days."""

    price: ModelPrice
    offer: ModelOffer
    tally: Tally
    earnings: Earnings


@blueprint.get("/models")
@for_operators
def models() -> str:
    """List models with provider price, sale price and margin."""
    search = request.args.get("q", "").strip()[:_MAX_TEXT_LENGTH]
    report = services().books.site.describe(last_days(_DAYS, services().clock.now(), zone()))
    used = report.by_model()
    sales = [
        ModelSale(
            price,
            ModelOffer.of(price, settings().tariff),
            used.get(price.model, NOTHING_USED),
            report.earnings(used.get(price.model, NOTHING_USED)),
        )
        for price in services().calls.prices.all()
        if search.lower() in price.model.lower()
    ]
    with services().transactions.begin() as tx:
        alerts = tx.alerts.recent(limit=200, only_open=True)
    return page(
        "models.html",
        "models",
        sales=sorted(sales, key=lambda sale: (-sale.tally.charge, sale.price.model)),
        search=search,
        usd=usd,
        per_million=_per_million,
        markup=settings().usage_markup,
        as_of=report.as_of,
        pricing_alerts=[alert for alert in alerts if alert.kind in _ABOUT_PRICES],
    )


def _per_million(units: int) -> str:
    """Return a provider's price of a token, in 10^-30 USD, as that of a million tokens."""
    return provider_dollars(units * _MILLION)


_ABOUT_PRICES = ("unpriced-model", "reported_cost")
