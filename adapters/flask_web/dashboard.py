"""What somebody sees of their own: balance, calls, keys, payments."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from adapters.flask_web import offers
from adapters.flask_web.pages import example_model
from adapters.flask_web.session import for_people, person, services, settings
from adapters.flask_web.throttle import CONFIRM_PER_ADDRESS, throttle
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayError,
    ReferenceConflictError,
)
from creditcore.domain.purchases import Purchase, PurchaseState

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")

_log = logging.getLogger(__name__)

_RECENT_CALLS = 25
_RECENT_PURCHASES = 50
_RECENT_MOVEMENTS = 50
_ASKED_AFTER_CANCELLING = 3
_MADE_ALREADY = "This key was made already, and its secret shown once. It is in the list below."
_NOTHING_CHARGED = (
    "You have not paid, and nothing was charged. You can continue the payment below, under "
    "Payments, or choose another amount."
)
_NOBODY_KNOWS = (
    "Paystack cannot be asked about your payment now. If you paid, the credit is added by itself; "
    "else nothing was charged."
)
_LIFETIMES_IN_DAYS = ("30", "90", "365")


@blueprint.get("")
@for_people
def home() -> str:
    """Show the balance, what was called lately, and how to begin."""
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person().id)
        calls = tx.calls.recent(wallet.id, limit=_RECENT_CALLS)
        keys = tx.keys.list_of(person().id)
    return render_template(
        "dashboard/home.html",
        page="home",
        wallet=wallet,
        calls=calls,
        keys=[key for key in keys if key.revoked_at is None],
        example_model=example_model(),
    )


@blueprint.get("/calls/<call_id>")
@for_people
def call(call_id: str) -> str:
    """Show the receipt of one call: how its cost came about."""
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person().id)
        keys = tx.keys.list_of(person().id)
    receipt = services().receipts.write(call_id, wallet_id=wallet.id)
    hold = receipt.call
    key_id = hold.call.key_id if hold.call else None
    return render_template(
        "dashboard/call.html",
        page="call",
        section="home",
        wallet=wallet,
        receipt=receipt,
        hold=hold,
        key=next((key for key in keys if key.id == key_id), None),
        given_back=hold.amount - hold.charged,
        cost=hold.charged + hold.written_off,
    )


@blueprint.get("/billing")
@for_people
def billing() -> str | Response:
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
        "dashboard/billing.html",
        page="billing",
        wallet=wallet,
        offers=offers.listed(),
        currency=settings().paystack_currency,
        min_usd=offers.MIN_USD,
        max_usd=offers.MAX_USD,
        purchases=purchases,
        resumable={
            purchase.reference for purchase in purchases if _can_be_continued(purchase, now)
        },
        returned=returned,
        movements=movements,
        errors=errors or {},
        choice=choice,
        typed_offer=offers.typed(choice),
        now=now,
        shown=_RECENT_PURCHASES,
    )


@blueprint.get("/keys")
@for_people
def keys() -> str:
    """List keys; one that was just made is shown, this once."""
    return _keys_page()


@blueprint.post("/keys")
@for_people
def create_key() -> tuple[str, int]:
    """Make a key and show it in the answer itself.

    There is no redirect: the secret would have to be kept somewhere in between. The form
    brings the id of its key, so that reloading the answer makes no other.
    """
    name, days = request.form.get("name", ""), request.form.get("expires_in_days", "")
    try:
        key, secret = services().keys.issue(
            person().id, name=name, lifetime=_lifetime(days), key_id=_form_key_id()
        )
    except ReferenceConflictError:
        return _keys_page({"form": _MADE_ALREADY}), 409
    except InvalidRequestError as error:
        return _keys_page({error.param or "name": str(error)}, name=name), 400
    return _keys_page(new_secret=secret.text, new_key_name=key.name), 201


@blueprint.post("/keys/<key_id>/revoke")
@for_people
def revoke_key(key_id: str) -> Response:
    """Refuse a key from now on."""
    services().keys.revoke(key_id, owner_id=person().id)
    return redirect(url_for("dashboard.keys"))


def _confirm_own(reference: str) -> None:
    with services().transactions.begin() as tx:
        own = {row.reference for row in tx.purchases.list_of(person().id, limit=_RECENT_PURCHASES)}
    if reference in own:
        try:
            services().purchase.confirm(reference)
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
    waiting = [row for row in purchases if _can_be_continued(row, now)][:_ASKED_AFTER_CANCELLING]
    for purchase in waiting:
        try:
            seen = services().purchase.confirm(purchase.reference)
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", purchase.reference, error)
            flash(_NOBODY_KNOWS, "info")
            return redirect(url_for("dashboard.billing"))
        if seen.state is not PurchaseState.PENDING:
            cookie["just_confirmed"] = seen.reference
            return redirect(url_for("dashboard.billing", reference=seen.reference))
    if waiting:
        flash(_NOTHING_CHARGED, "info")
    return redirect(url_for("dashboard.billing"))


def _can_be_continued(purchase: Purchase, now: datetime) -> bool:
    return (
        purchase.state is PurchaseState.PENDING
        and bool(purchase.checkout_url)
        and purchase.expires_at > now
    )


def _form_key_id() -> str:
    given = request.form.get("key_id", "")
    try:
        return str(UUID(given))
    except ValueError:
        raise InvalidRequestError(
            "Reload the page and send the form again.", param="form"
        ) from None


def _lifetime(days: str) -> timedelta | None:
    if days not in ("", *_LIFETIMES_IN_DAYS):
        raise InvalidRequestError("Choose how long the key works.", param="expires_in_days")
    return timedelta(days=int(days)) if days else None


def _keys_page(
    errors: dict[str, str] | None = None,
    *,
    name: str = "",
    new_secret: str | None = None,
    new_key_name: str = "",
) -> str:
    with services().transactions.begin() as tx:
        rows = tx.keys.list_of(person().id)
    return render_template(
        "dashboard/keys.html",
        page="keys",
        keys=rows,
        new_secret=new_secret,
        new_key_name=new_key_name,
        errors=errors or {},
        name=name,
        now=services().clock.now(),
        key_id=services().keys.new_id(),
    )
