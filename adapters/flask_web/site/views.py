"""Pages that all may see."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request, send_from_directory

from adapters.flask_web.context import services, settings
from adapters.flask_web.site.billing_cases import BILLING_CASES
from adapters.flask_web.site.calculator import estimate
from adapters.flask_web.site.worked_examples import exhibits, greeting_charge, short_list
from adapters.flask_web.web import offers
from adapters.flask_web.web.model_offers import ModelOffer, example_model
from creditcore.usecases.calls.relayed_call import MAX_DRAINED_TOKENS, WORTH

blueprint = Blueprint("site", __name__)


_A_DAY_S = 24 * 60 * 60


@blueprint.get("/")
def landing() -> str:
    """Say what this is, and show it at the prices of today."""
    shown = exhibits()
    return render_template(
        "site/landing.html",
        page="landing",
        signup_credits=settings().signup_credits,
        offers=offers.listed(),
        example_model=example_model(),
        markup=settings().usage_markup,
        shown=shown,
        greeting_cost=str(greeting_charge(shown)),
        short_list=short_list(),
    )


@blueprint.get("/docs/billing")
def billing_policy() -> str:
    """Say what every way a call can end costs; ``RelayedCall`` does exactly this."""
    return render_template(
        "site/billing_policy.html",
        page="billing_policy",
        cases=BILLING_CASES,
        multiplier=settings().tariff.multiplier,
        drained_tokens=MAX_DRAINED_TOKENS,
        worth=WORTH,
    )


@blueprint.get("/pricing")
def pricing() -> str:
    """Show what credits cost, and what they buy."""
    prices = services().calls.prices.all()
    by_unit = [ModelOffer.of(price, settings().tariff) for price in prices if price.unit]
    return render_template(
        "site/pricing.html",
        page="pricing",
        signup_credits=settings().signup_credits,
        offers=offers.listed(),
        models=[price.model for price in prices if price.unit is None],
        by_unit=by_unit,
        estimate=estimate(request.args),
        markup=settings().usage_markup,
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Return the icon that browsers ask for by themselves, where no page named another."""
    return _at_the_root("favicon.ico")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Tell search engines which pages are for all."""
    return _at_the_root("robots.txt")


def _at_the_root(name: str) -> Response:
    return send_from_directory(current_app.static_folder or "", name, max_age=_A_DAY_S)
