"""What somebody sees of their own: balance, calls, keys, payments."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from adapters.flask_web import offers
from adapters.flask_web.pages import example_model
from adapters.flask_web.session import for_people, person, services, settings
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayError,
    ReferenceConflictError,
)
from creditcore.domain.purchases import PurchaseState

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")

_log = logging.getLogger(__name__)

_RECENT_CALLS = 25
_RECENT_PURCHASES = 50
_RECENT_MOVEMENTS = 50
_MADE_ALREADY = "This key was made already, and its secret shown once. It is in the list below."
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


@blueprint.get("/billing")
@for_people
def billing() -> str:
    """Sell credits, and show what was bought.

    A browser that has just come back from paying asks again until the payment is
    decided, so looking at the page asks the provider too.
    """
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
    returned = request.args.get("reference", "")
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
            purchase.reference
            for purchase in purchases
            if purchase.state is PurchaseState.PENDING
            and purchase.checkout_url
            and purchase.expires_at > now
        },
        returned=next((row for row in purchases if row.reference == returned), None),
        movements=movements,
        errors=errors or {},
        custom_usd=request.form.get("custom_usd", ""),
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
