"""Sell credits, and show what was bought."""

from __future__ import annotations

import logging

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.web import offers
from adapters.flask_web.web.session import for_people, person
from adapters.flask_web.web.throttle import CONFIRM_PER_ADDRESS, throttle
from creditcore.domain.errors import PaymentGatewayError
from creditcore.domain.purchases import PurchaseState

blueprint = Blueprint("billing", __name__, url_prefix="/dashboard/billing")

_log = logging.getLogger(__name__)

_RECENT_PURCHASES = 50
_RECENT_MOVEMENTS = 50
_ASKED_AFTER_CANCELLING = 3
_NOTHING_CHARGED = (
    "You have not paid, and nothing was charged. You can continue the payment below, under "
    "Payments, or choose another amount."
)
_NOBODY_KNOWS = (
    "Paystack cannot be asked about your payment now. If you paid, the credit is added by itself; "
    "else nothing was charged."
)


@blueprint.get("")
@for_people
def show() -> str | Response:
    """Sell credits, and show what was bought.

    A browser that has just come back from paying asks again until the payment is
    decided, so looking at the page asks the provider too.
    """
    if "cancelled" in request.args:
        return _after_cancelling()
    reference = request.args.get("reference", "")
    # On the way back from paying it was asked a moment ago.
    if reference and cookie.pop("just_confirmed", None) != reference:
        _confirm_own(reference)
    return billing_page()


def billing_page(errors: dict[str, str] | None = None) -> str:
    """Render the billing page, with what was wrong in its form."""
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person().id)
        purchases = tx.purchases.list_of(person().id, limit=_RECENT_PURCHASES)
        movements = tx.ledger.transfers_of(wallet.id, limit=_RECENT_MOVEMENTS)
    now = services().clock.now()
    asked = request.args.get("reference", "")
    returned = next((row for row in purchases if row.reference == asked), None)
    choice = offers.Choice()
    if request.form:
        choice = offers.Choice.sent(request.form)
    elif returned is not None and returned.state is PurchaseState.FAILED:
        choice = offers.Choice.of(returned.offer.value)
    return render_template(
        "billing/billing.html",
        page="billing",
        wallet=wallet,
        offers=offers.listed(),
        currency=settings().paystack_currency,
        min_usd=offers.MIN_USD,
        max_usd=offers.MAX_USD,
        purchases=purchases,
        resumable={purchase.reference for purchase in purchases if purchase.is_resumable(now)},
        returned=returned,
        movements=movements,
        errors=errors or {},
        choice=choice,
        typed_offer=offers.typed(choice),
        now=now,
        shown=_RECENT_PURCHASES,
    )


def _confirm_own(reference: str) -> None:
    with services().transactions.begin() as tx:
        own = {row.reference for row in tx.purchases.list_of(person().id, limit=_RECENT_PURCHASES)}
    if reference in own:
        try:
            services().payments.confirm(reference)
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", reference, error)


def _after_cancelling() -> Response:
    """Say how the payment stands that somebody says was given up, and forget that they said so.

    Anybody can lead here with such an address. So the provider is asked: what is said is true,
    whoever brought them. The page it is said on has another address, and says it once.
    """
    throttle().count_address(CONFIRM_PER_ADDRESS, "confirm")
    now = services().clock.now()
    with services().transactions.begin() as tx:
        purchases = tx.purchases.list_of(person().id, limit=_RECENT_PURCHASES)
    waiting = [row for row in purchases if row.is_resumable(now)][:_ASKED_AFTER_CANCELLING]
    for purchase in waiting:
        try:
            seen = services().payments.confirm(purchase.reference)
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", purchase.reference, error)
            flash(_NOBODY_KNOWS, "info")
            return redirect(url_for("billing.show"))
        if seen.state is not PurchaseState.PENDING:
            cookie["just_confirmed"] = seen.reference
            return redirect(url_for("billing.show", reference=seen.reference))
    if waiting:
        flash(_NOTHING_CHARGED, "info")
    return redirect(url_for("billing.show"))
