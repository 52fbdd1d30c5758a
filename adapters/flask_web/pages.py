"""Pages that everybody may see."""

from __future__ import annotations

from flask import Blueprint, render_template

from adapters.flask_web import offers, session
from adapters.flask_web.model_offers import ModelOffer

blueprint = Blueprint("pages", __name__)

_FALLBACK_MODEL = "gpt-4o-mini"


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
