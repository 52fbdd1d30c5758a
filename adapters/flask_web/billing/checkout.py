"""Begin to pay."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, jsonify, redirect, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from adapters.flask_web.billing import purchase_status
from adapters.flask_web.billing.views import billing_page
from adapters.flask_web.context import services, settings
from adapters.flask_web.web import offers
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.error_answers import wants_json
from adapters.flask_web.web.formatting import offer_summary
from adapters.flask_web.web.session import actor, person
from adapters.flask_web.web.stepping_up import ask_provider, require_proof
from adapters.flask_web.web.throttle import CHECKOUT_PER_PERSON, throttle
from creditcore.domain.access import Action
from creditcore.domain.errors import (
    InvalidRequestError,
    PayerRefusedError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseLimitError,
)
from creditcore.domain.money import Money
from creditcore.domain.purchases import Offer, Purchase

blueprint = Blueprint("checkout", __name__, url_prefix="/api/checkout")

BIG_PURCHASE = Money(100_00, "USD")
"""From this value on, buying wants a proof of the last half hour."""

_FIELDS = {"amount_usd", "custom_usd", "currency", "attempt", "csrf_token"}
_ATTEMPT = re.compile(r"[A-Za-z0-9_-]{0,64}")


@blueprint.post("/start")
@allowed(Action.BUY_CREDITS)
def start() -> Response | tuple[Any, ...]:
    """Store a quote and lead to the provider's page.

    A form is redirected there; JSON is answered with the address, the locked price
    and what it grants. Every request is a new purchase, unless it repeats the ``attempt`` of
    one: a double click, a reload, a client that tries again.
    """
    try:
        amount, currency, attempt = _order()
        offer = services().payments.sales.offer(offers.chosen(amount), currency or None)
        check_buyer(offer)
        throttle().count(CHECKOUT_PER_PERSON, "checkout", person().id)
        purchase = _begin(offer, attempt)
        if request.form.get("save_card") == "yes" and not account().is_team:
            services().payments.cards.agree(person(), purchase.reference, actor=actor())
    except (
        InvalidRequestError,
        PaymentGatewayUnavailableError,
        PaymentRejectedError,
        PurchaseLimitError,
        TooManyRequests,
    ) as error:
        if wants_json():
            raise
        return _asked_again(error)
    if wants_json():
        return jsonify(_receipt(purchase)), 201
    if purchase.is_resumable(services().clock.now()):
        return redirect(purchase.checkout_url, code=303)
    # A repeat: of what is being prepared by the first request, or was decided meanwhile.
    return redirect(url_for("payments.show", reference=purchase.reference), code=303)


@blueprint.get("/quote")
@allowed(Action.BUY_CREDITS)
def quote() -> Response | tuple[Any, ...]:
    """Say what an amount costs and grants now, in numbers and in words.

    Nothing is stored, and no price locked: that is what starting does.
    """
    offer = services().payments.sales.offer(
        offers.chosen(request.args.get("amount_usd", "")), request.args.get("currency")
    )
    return jsonify(_terms(offer) | {"summary": offer_summary(offer)})


def _begin(offer: Offer, attempt: str) -> Purchase:
    """Begin the purchase.

    Raises:
        PayerRefusedError: The provider does not take what the payer gave.
    """
    try:
        return services().payments.sales.start(
            person(),
            offer,
            attempt=attempt,
            owner_id=account().id,
            return_url=f"{settings().base_url}/payments/paystack",
            cancel_url=f"{settings().base_url}/dashboard/billing?cancelled=1",
        )
    except PaymentRejectedError as error:
        reason = services().payment_gateway.failure_reason(str(error))
        raise purchase_status.told_to_payer(error, reason) from error


def _order() -> tuple[str, str, str]:
    """Return the amount in USD, the currency and the attempt that were sent, as text."""
    if not request.is_json:
        form = request.form
        amount = offers.Choice.sent(form).amount
        return amount, form.get("currency", ""), attempt_name(form.get("attempt", ""))
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        # Brackets thousands deep: the parser gives up, and so do we.
        body = None
    if not isinstance(body, dict) or set(body) - _FIELDS:
        raise InvalidRequestError('Send {"amount_usd": 10} and nothing else.')
    value = body.get("amount_usd")
    if type(value) not in (int, str):
        raise InvalidRequestError("amount_usd is a whole number of US dollars.", param="amount_usd")
    currency, attempt = body.get("currency", ""), body.get("attempt", "")
    if not isinstance(currency, str):
        raise InvalidRequestError("currency is a code such as KES.", param="currency")
    return str(value), currency, attempt_name(attempt)


def check_buyer(offer: Offer) -> None:
    """Look at who is about to pay: a big purchase wants a fresh proof of who it is.

    Raises:
        ProofWantedError: They have to prove it first.
        SessionEndedError: The account or the session counts no more.
        IdentityUnavailableError: The provider cannot be asked, so nothing is sold.
    """
    if offer.value >= BIG_PURCHASE:
        require_proof("billing.show")
    else:
        ask_provider()


def attempt_name(value: object) -> str:
    """Read the name that a buyer's program or form gives to one attempt.

    Raises:
        InvalidRequestError: It is none.
    """
    if not isinstance(value, str) or not _ATTEMPT.fullmatch(value):
        raise InvalidRequestError("attempt is up to 64 letters, digits, - and _.", param="attempt")
    return value


def _asked_again(error: Exception) -> tuple[Any, ...]:
    """Show the form once more: what was chosen and typed in it, and what was wrong."""
    if isinstance(error, PayerRefusedError):
        return billing_page({"form": str(error)}), 422
    if isinstance(error, InvalidRequestError):
        return billing_page({"amount_usd": str(error)}), 400
    if isinstance(error, TooManyRequests):
        return billing_page({"form": str(error.description)}), 429, error.get_headers()
    if isinstance(error, PurchaseLimitError):
        return billing_page({"form": str(error)}), 429
    message = str(error)
    if isinstance(error, PaymentGatewayUnavailableError):
        message = "The payment provider is not answering. Nothing was charged; try again soon."
    return billing_page({"form": message}), 503


def _receipt(purchase: Purchase) -> dict[str, Any]:
    return {
        "reference": purchase.reference,
        "authorization_url": purchase.checkout_url,
        **_terms(purchase.offer),
        "expires_at": purchase.expires_at.isoformat(),
    }


def _terms(offer: Offer) -> dict[str, Any]:
    return {
        "amount": {"minor_units": offer.price.minor_units, "currency": offer.price.currency},
        "exchange_rate": None if offer.rate is None else str(offer.rate),
        "credits": str(offer.credits),
    }
