"""Pay from a phone: M-Pesa first, and every network that works like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, redirect, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from adapters.flask_web.billing import phone, purchase_status
from adapters.flask_web.billing.checkout import attempt_name, check_buyer
from adapters.flask_web.billing.views import billing_page
from adapters.flask_web.context import services
from adapters.flask_web.web import offers
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.error_answers import wants_json
from adapters.flask_web.web.formatting import decimal_amount
from adapters.flask_web.web.session import person
from adapters.flask_web.web.throttle import CHECKOUT_PER_PERSON, STATUS_PER_PERSON, throttle
from creditcore.domain.access import Action
from creditcore.domain.errors import (
    CreditcoreError,
    InvalidRequestError,
    PayerRefusedError,
    PaymentRejectedError,
    PurchaseLimitError,
)
from creditcore.domain.purchases import MobilePayer, Offer, Purchase
from creditcore.ports.payments import MobileNetwork

blueprint = Blueprint("mobile_money", __name__, url_prefix="/api/checkout")

_MPESA = ("KES", "mpesa")
_MPESA_FIELDS = {"amount_usd", "amount_kes", "phone", "attempt", "csrf_token"}
_FIELDS = {"amount_usd", "amount", "currency", "network", "phone", "attempt", "csrf_token"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer wants to pay from which phone, as text that was not looked at yet.

    Attributes:
        usd: A USD value; empty where ``price`` says what to pay.
        price: What to pay in the network's currency.
    """

    usd: str
    price: str
    price_field: str
    currency: str
    network: str
    phone: str
    attempt: str

    def offer(self) -> Offer:
        """Return what is bought, at today's quote.

        Raises:
            InvalidRequestError: The amount cannot be bought.
        """
        if bool(self.usd) == bool(self.price):
            raise InvalidRequestError(
                f"Give either amount_usd or {self.price_field}, not both.", param=self.price_field
            )
        if self.usd:
            return services().payments.sales.offer(offers.chosen(self.usd), self.currency)
        price = offers.local(self.price, self.currency, param=self.price_field)
        return services().payments.sales.offer_for(price)

    def payer(self) -> MobilePayer:
        """Return the phone to ask.

        Raises:
            InvalidRequestError: There is no such network, or no such number.
        """
        network = network_of(self.currency, self.network)
        return MobilePayer(network.code, phone.parse(self.phone, network).e164)


@blueprint.post("/mpesa")
def start_mpesa() -> Response | tuple[Any, ...]:
    """Send a payment request to an M-Pesa phone: ``{"amount_usd" or "amount_kes", "phone"}``."""
    return _start(mpesa=True)


@blueprint.post("/mobile")
def start_mobile() -> Response | tuple[Any, ...]:
    """Send a payment request to a phone of any network that can pay.

    ``{"amount_usd" or "amount", "currency", "network", "phone"}``.
    """
    return _start(mpesa=False)


@blueprint.get("/<reference>")
@allowed(Action.BUY_CREDITS)
def show(reference: str) -> Response | tuple[Any, ...]:
    """Say how a purchase of one's own stands."""
    throttle().count(STATUS_PER_PERSON, "checkout-status", person().id)
    purchase = services().payments.mobile_money.check(account().id, reference)
    return jsonify(document(purchase))


def network_of(currency: str, code: str) -> MobileNetwork:
    """Return a network that can pay in a currency that is sold.

    Raises:
        InvalidRequestError: There is none of this name.
    """
    is_sold = currency in offers.terms().currencies
    offered = services().payment_gateway.mobile_networks(currency) if is_sold else ()
    for network in offered:
        if network.code == code:
            return network
    named = ", ".join(f"{network.name} ({network.code})" for network in offered)
    raise InvalidRequestError(
        "Choose a mobile network that is offered here"
        + (f": {named}." if named else "; none pays in this currency."),
        param="network",
    )


def document(purchase: Purchase) -> dict[str, Any]:
    """Return a purchase as programs read it. Amounts are exact decimal text.

    ``asks_for`` is there while the payer has to type something before the payment goes on.
    """
    stands = standing_of(purchase)
    asked = purchase.awaits_detail(services().clock.now())
    return {
        "reference": purchase.reference,
        "status": stands.status,
        "amount": decimal_amount(purchase.offer.price),
        "currency": purchase.offer.price.currency,
        "credits": str(purchase.offer.credits),
        "expires_at": purchase.expires_at.isoformat(),
        "display_text": purchase.display_text or stands.next_step,
        "message": stands.message,
    } | ({"asks_for": asked} if asked else {})


def standing_of(purchase: Purchase) -> purchase_status.Standing:
    """Say how a purchase stands now."""
    reason = services().payment_gateway.failure_reason(purchase.review_reason)
    return purchase_status.standing_of(purchase, reason, now=services().clock.now())


@allowed(Action.BUY_CREDITS)
def _start(*, mpesa: bool) -> Response | tuple[Any, ...]:
    try:
        order = _order_of_program(mpesa=mpesa) if request.is_json else _order_of_form(request.form)
        # The network first: an amount has a meaning only in a currency that is sold.
        payer, offer = order.payer(), order.offer()
        check_buyer(offer)
        throttle().count(CHECKOUT_PER_PERSON, "checkout", person().id)
        purchase = _ask(order, offer, payer)
    except (
        InvalidRequestError,
        PaymentRejectedError,
        PurchaseLimitError,
        TooManyRequests,
    ) as error:
        if wants_json():
            raise
        return _asked_again(error)
    if wants_json():
        return jsonify(document(purchase)), 201
    return redirect(url_for("payments.show", reference=purchase.reference), code=303)


def _ask(order: Order, offer: Offer, payer: MobilePayer) -> Purchase:
    """Ask the phone.

    Raises:
        PayerRefusedError: The provider does not take what the payer gave.
    """
    try:
        return services().payments.mobile_money.start(
            person(), offer, payer, attempt=order.attempt, owner_id=account().id
        )
    except PaymentRejectedError as error:
        reason = services().payment_gateway.failure_reason(str(error))
        raise purchase_status.told_to_payer(error, reason) from error


def _order_of_program(*, mpesa: bool) -> Order:
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        # Brackets thousands deep: the parser gives up, and so do we.
        body = None
    fields = _MPESA_FIELDS if mpesa else _FIELDS
    example = '{"amount_kes": 650, "phone": "0712 345 678"}'
    if not mpesa:
        example = '{"amount": 50, "currency": "GHS", "network": "mtn", "phone": "024 123 4567"}'
    if not isinstance(body, dict) or set(body) - fields:
        raise InvalidRequestError(f"Send {example} and nothing else.")
    price_field = "amount_kes" if mpesa else "amount"
    currency, network = _MPESA
    return Order(
        usd=_whole(body, "amount_usd"),
        price=_whole(body, price_field),
        price_field=price_field,
        currency=currency if mpesa else _text(body, "currency"),
        network=network if mpesa else _text(body, "network"),
        phone=_text(body, "phone"),
        attempt=attempt_name(body.get("attempt", "")),
    )


def _order_of_form(form: Mapping[str, str]) -> Order:
    choice = form.get("amount_usd", offers.OTHER)
    typed = choice == offers.OTHER
    currency, _, network = form.get("network", ":".join(_MPESA)).partition(":")
    return Order(
        usd="" if typed else choice,
        price=form.get("amount", "") or "0" if typed else "",
        price_field="amount",
        currency=currency,
        network=network,
        phone=form.get("phone", ""),
        attempt=attempt_name(form.get("attempt", "")),
    )


def _whole(body: Mapping[str, object], name: str) -> str:
    """Return a JSON integer as text. No other number is exact, and text may mean anything."""
    value = body.get(name)
    if value is None:
        return ""
    if type(value) is not int or value <= 0:
        raise InvalidRequestError(f"{name} is a whole number above zero.", param=name)
    # Python refuses to write numbers of thousands of digits out, and no amount has so many.
    return str(value) if value < 10**12 else "9" * 12


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} is text.", param=name)
    return value


def _asked_again(error: CreditcoreError | TooManyRequests) -> tuple[Any, ...]:
    """Show the form once more: what was chosen and typed in it, and what was wrong."""
    if isinstance(error, InvalidRequestError):
        status = 422 if isinstance(error, PayerRefusedError) else 400
        return billing_page({f"mobile_{error.param or 'form'}": str(error)}), status
    if isinstance(error, TooManyRequests):
        return billing_page({"mobile_form": str(error.description)}), 429, error.get_headers()
    status = 429 if isinstance(error, PurchaseLimitError) else 503
    return billing_page({"mobile_form": str(error)}), status
