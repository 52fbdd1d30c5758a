"""Pages that everybody may see."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from adapters.flask_web import offers, session
from adapters.flask_web.model_offers import ModelOffer
from creditcore.domain.holds import Basis

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True, slots=True)
class BillingCase:
    """One way a call can end."""

    happens: str
    charged: str
    basis: Basis


BILLING_CASES = (
    BillingCase(
        "The answer is complete",
        "What the provider counted, to the token.",
        Basis.PROVIDER_USAGE,
    ),
    BillingCase(
        "The answer is complete, but the provider reports no usage",
        "The prompt and the text you got, counted by us: four bytes, or one piece, to the token.",
        Basis.COUNTED_OUTPUT,
    ),
    BillingCase(
        "You close a stream early",
        "We listen for a few seconds more. If the provider still reports its usage, that; else "
        "the prompt and the text you got, counted by us.",
        Basis.COUNTED_OUTPUT,
    ),
    BillingCase(
        "The stream breaks, or reports an error, after text has arrived",
        "The provider's count if it came, else the prompt and the text you got.",
        Basis.COUNTED_OUTPUT,
    ),
    BillingCase(
        "The call fails before any text",
        "Nothing. All of the hold comes back.",
        Basis.NONE,
    ),
    BillingCase(
        "You leave before any text, and no usage is reported",
        "The prompt, counted by us: the model was reading it already.",
        Basis.COUNTED_OUTPUT,
    ),
    BillingCase(
        "The credits run out while a stream is running",
        "The text you got. It ends with reason “length”, before a token you could not pay for.",
        Basis.COUNTED_OUTPUT,
    ),
    BillingCase(
        "The answer is empty, and the provider counts its prompt",
        "What the provider counted.",
        Basis.PROVIDER_USAGE,
    ),
    BillingCase(
        "The request is refused: bad input, no such model, too few credits",
        "Nothing. It never reached a model.",
        Basis.NONE,
    ),
)
"""In the order people meet them."""

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


@blueprint.get("/docs/billing")
def billing_policy() -> str:
    """Say what every way a call can end costs; ``RelayedCall`` does exactly this."""
    return render_template(
        "docs/billing.html",
        page="billing_policy",
        cases=BILLING_CASES,
        multiplier=session.settings().tariff.multiplier,
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
