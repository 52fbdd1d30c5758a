"""The page of one payment: what it waits for, or what became of it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from flask import session as cookie

from adapters.flask_web.billing import phone
from adapters.flask_web.billing.mobile_money import network_of, standing_of
from adapters.flask_web.context import services, settings
from adapters.flask_web.web import offers
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.formatting import whole_units
from adapters.flask_web.web.session import person
from adapters.flask_web.web.throttle import STATUS_PER_PERSON, throttle
from creditcore.domain.access import Action
from creditcore.domain.currencies import MINOR_UNITS_PER_UNIT
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.purchases import MASK, Purchase

blueprint = Blueprint("payments", __name__, url_prefix="/dashboard/billing/payments")

NOT_TAKEN = "not_taken"
"""In the cookie: the payment whose payer typed what the provider did not take."""

_NOT_TAKEN_TEXT = "This was not accepted. Check it, and type it again."


@blueprint.get("/<reference>")
@allowed(Action.BUY_CREDITS)
def show(reference: str) -> str:
    """Show how a payment of one's own stands, and ask the provider where it is time to.

    Without scripts the page loads itself again every five seconds while it waits.
    """
    throttle().count(STATUS_PER_PERSON, "checkout-status", person().id)
    purchase = services().payments.mobile_money.check(account().id, reference)
    asked = purchase.awaits_detail(services().clock.now())
    if cookie.pop(NOT_TAKEN, None) == reference and asked:
        return payment_page(purchase, {asked.value: _NOT_TAKEN_TEXT})
    return payment_page(purchase)


def payment_page(purchase: Purchase, errors: Mapping[str, str] | None = None) -> str:
    """Render the page of a payment, with what was wrong in what the payer typed."""
    now = services().clock.now()
    asked = purchase.awaits_detail(now)
    return render_template(
        "billing/payment.html",
        page="payment",
        section="billing",
        purchase=purchase,
        outcome=standing_of(purchase),
        phone=phone.shown(purchase.payer.phone) if purchase.payer else "",
        network=_network_name(purchase),
        merchant=settings().mobile_merchant_name,
        seconds_left=max(0, int((purchase.prompt_ends_at - now).total_seconds())),
        asked=asked,
        typed=asked if asked and asked.may_be_typed else None,
        sent=request.form,
        errors=errors or {},
        resumable=purchase.is_resumable(now),
        resend=services().ids.new() if _may_be_sent_again(purchase) else "",
        resend_usd=_same_plan(purchase),
    )


def _may_be_sent_again(purchase: Purchase) -> bool:
    """Whether the number is still there: it is masked when it is no longer needed."""
    return purchase.payer is not None and MASK not in purchase.payer.phone


def _same_plan(purchase: Purchase) -> str:
    """Return the USD value where it still costs the same, else that a price is sent."""
    offer = purchase.offer
    if offer.value.minor_units % MINOR_UNITS_PER_UNIT:
        return offers.OTHER
    try:
        same = services().payments.sales.offer(offer.value, offer.price.currency)
    except InvalidRequestError:
        return offers.OTHER
    return whole_units(offer.value) if same.price == offer.price else offers.OTHER


def _network_name(purchase: Purchase) -> str:
    if purchase.payer is None:
        return ""
    try:
        return network_of(purchase.offer.price.currency, purchase.payer.network).name
    except InvalidRequestError:
        # It was sold in this currency once.
        return purchase.payer.network
