"""Sell credits, and show what was bought."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.web import offers
from adapters.flask_web.web.account import account
from adapters.flask_web.web.formatting import plain_dollars
from adapters.flask_web.web.session import for_people, person
from adapters.flask_web.web.throttle import CONFIRM_PER_ADDRESS, throttle
from creditcore.domain.currencies import MINOR_UNITS_PER_UNIT
from creditcore.domain.errors import PaymentGatewayError
from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.purchases import Offer, PurchaseState
from creditcore.ports.payments import MobileNetwork

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
    if not account().buys:
        return billing_page()
    if "cancelled" in request.args:
        return _after_cancelling()
    reference = request.args.get("reference", "")
    # On the way back from paying it was asked a moment ago.
    if reference and cookie.pop("just_confirmed", None) != reference:
        _confirm_own(reference)
    return billing_page()


def billing_page(errors: dict[str, str] | None = None) -> str:
    """Render the billing page, with what was wrong in its form."""
    buys = account().buys
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        purchases = tx.purchases.list_of(owner_id, limit=_RECENT_PURCHASES) if buys else []
        movements = tx.ledger.transfers_of(wallet.id, limit=_RECENT_MOVEMENTS)
        watch = tx.low_balance.find(wallet.id)
    now = services().clock.now()
    currencies = offers.currencies()
    currency = _currency(currencies)
    asked = request.args.get("reference", "")
    returned = next((row for row in purchases if row.reference == asked), None)
    choice = offers.Choice.first()
    if request.form and "phone" not in request.form:
        choice = offers.Choice.sent(request.form)
    elif returned is not None and returned.state is PurchaseState.FAILED:
        choice = offers.Choice.of(returned.offer.value)
    return render_template(
        "billing/billing.html",
        page="billing",
        buys=buys,
        wallet=wallet,
        offers=offers.listed(currency),
        currency=currency,
        currencies=currencies,
        mobile=_mobile_form(currency, currencies),
        attempt=services().ids.new(),
        min_usd=offers.least_usd(),
        max_usd=offers.most_usd(),
        purchases=purchases,
        resumable={purchase.reference for purchase in purchases if purchase.is_resumable(now)},
        returned=returned,
        movements=movements,
        sends_mail=services().operations.mails.is_configured,
        told_at=_told_at(watch),
        # A card is one person's, and pays for their own account alone.
        has_cards=not account().is_team and bool(services().payments.cards.of(person())),
        saving_text="" if account().is_team else services().payments.cards.text,
        errors=errors or {},
        choice=choice,
        typed_offer=offers.typed(choice, currency),
        now=now,
        shown=_RECENT_PURCHASES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileForm:
    """The form that asks a phone to pay.

    Attributes:
        currency: What it pays in.
        networks: Whose phones can; the first is chosen.
        offers: The listed amounts in that currency.
        least: The smallest whole amount.
        chosen: The listed USD value that is chosen, or ``other``.
        typed: What stands in the field for another amount.
        phone: What stands in the field for the number.
        network: Code of the chosen network.
    """

    currency: str
    networks: Sequence[MobileNetwork]
    offers: Sequence[Offer]
    least: int
    chosen: str
    typed: str = ""
    phone: str = ""
    network: str = ""


def _told_at(watch: LowBalanceWatch | None) -> str:
    """Return what stands in the field for the balance to be told at."""
    if "threshold" in request.form:
        return request.form["threshold"]
    if watch is None or not watch.threshold:
        return ""
    return plain_dollars(watch.threshold)


def _currency(currencies: Sequence[str]) -> str:
    """Return what the visitor chose to pay in, else the first that is sold."""
    asked = request.values.get("currency", "")
    return asked if asked in currencies else next(iter(currencies), settings().paystack_currency)


def _mobile_form(currency: str, currencies: Sequence[str]) -> MobileForm | None:
    """Return the form in the chosen currency, else in the first whose phones can pay."""
    gateway = services().payment_gateway
    codes = [code for code in (currency, *currencies) if gateway.mobile_networks(code)]
    if not codes:
        return None
    code = codes[0]
    networks, listed = gateway.mobile_networks(code), offers.listed(code)
    sent = request.form if "phone" in request.form else {}
    return MobileForm(
        currency=code,
        networks=networks,
        offers=listed,
        least=-(-gateway.minimum(code).minor_units // MINOR_UNITS_PER_UNIT),
        chosen=sent.get("amount_usd", offers.Choice.first().plan),
        typed=sent.get("amount", ""),
        phone=sent.get("phone", ""),
        network=sent.get("network", f"{code}:{networks[0].code}"),
    )


def _confirm_own(reference: str) -> None:
    owner_id = account().id
    with services().transactions.begin() as tx:
        own = {row.reference for row in tx.purchases.list_of(owner_id, limit=_RECENT_PURCHASES)}
    if reference in own:
        try:
            services().payments.confirmation.confirm(reference)
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", reference, error)


def _after_cancelling() -> Response:
    """Say how the payment stands that the customer says was given up, and forget that they said so.

    Any page can lead here with such an address. So the provider is asked: what is said is true,
    wherever they came from. The page it is said on has another address, and says it once.
    """
    throttle().count_address(CONFIRM_PER_ADDRESS, "confirm")
    now = services().clock.now()
    owner_id = account().id
    with services().transactions.begin() as tx:
        purchases = tx.purchases.list_of(owner_id, limit=_RECENT_PURCHASES)
    waiting = [row for row in purchases if row.is_resumable(now)][:_ASKED_AFTER_CANCELLING]
    for purchase in waiting:
        try:
            seen = services().payments.confirmation.confirm(purchase.reference)
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
