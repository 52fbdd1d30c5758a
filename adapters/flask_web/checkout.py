"""Begin to pay."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response

from adapters.flask_web import offers
from adapters.flask_web.dashboard import billing_page
from adapters.flask_web.errors import refusal, wants_json
from adapters.flask_web.session import for_people, person, services, settings
from adapters.flask_web.throttle import CHECKOUT_PER_PERSON, throttle
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
)
from creditcore.domain.purchases import Purchase

blueprint = Blueprint("checkout", __name__, url_prefix="/api/checkout")

_FIELDS = {"amount_usd", "custom_usd", "csrf_token"}


@blueprint.post("/start")
def start() -> Response | tuple[Any, int]:
    """Store a quote and lead to the provider's page.

    A form is redirected there; JSON is answered with the address, the locked price
    and what it grants. Every request is a new purchase.
    """
    if wants_json() and not current_user.is_authenticated:
        return jsonify(refusal(401, "Sign in first.", code="not_signed_in").body), 401
    return _start()


@for_people
def _start() -> Response | tuple[Any, int]:
    try:
        value = offers.chosen(_chosen_amount())
        throttle().count(CHECKOUT_PER_PERSON, "checkout", person().id)
        purchase = services().purchase.start(
            person(),
            value,
            return_url=f"{settings().base_url}/payments/paystack",
            cancel_url=f"{settings().base_url}/dashboard/billing",
        )
    except (InvalidRequestError, PaymentGatewayUnavailableError, PaymentRejectedError) as error:
        if wants_json():
            raise
        status = 400 if isinstance(error, InvalidRequestError) else 503
        field = "custom_usd" if request.form.get("amount_usd") == "other" else "amount_usd"
        return billing_page({field: _for_people(error)}), status
    if wants_json():
        return jsonify(_receipt(purchase)), 201
    return redirect(purchase.checkout_url, code=303)


def _chosen_amount() -> str:
    if not request.is_json:
        chosen = request.form.get("amount_usd", "")
        return request.form.get("custom_usd", "") if chosen == "other" else chosen
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        # Brackets thousands deep: the parser gives up, and so do we.
        body = None
    if not isinstance(body, dict) or set(body) - _FIELDS:
        raise InvalidRequestError('Send {"amount_usd": 10} and nothing else.')
    amount = body.get("amount_usd")
    if type(amount) not in (int, str):
        raise InvalidRequestError("amount_usd is a whole number of US dollars.", param="amount_usd")
    return str(amount)


def _for_people(error: Exception) -> str:
    if isinstance(error, PaymentGatewayUnavailableError):
        return "The payment provider is not answering. Nothing was charged; try again in a moment."
    return str(error)


def _receipt(purchase: Purchase) -> dict[str, Any]:
    offer = purchase.offer
    return {
        "reference": purchase.reference,
        "authorization_url": purchase.checkout_url,
        "amount": {"minor_units": offer.price.minor_units, "currency": offer.price.currency},
        "exchange_rate": None if offer.rate is None else str(offer.rate),
        "credits": str(offer.credits),
        "expires_at": purchase.expires_at.isoformat(),
    }
