"""Saved cards, paying with one, and automatic top-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound, TooManyRequests
from werkzeug.wrappers import Response

from adapters.flask_web.billing.checkout import attempt_name
from adapters.flask_web.billing.notices import threshold_of
from adapters.flask_web.context import services, settings
from adapters.flask_web.web import offers
from adapters.flask_web.web.account import account
from adapters.flask_web.web.formatting import plain_dollars, whole_units
from adapters.flask_web.web.session import actor, for_people, person
from adapters.flask_web.web.stepping_up import stepped_up
from adapters.flask_web.web.throttle import CHECKOUT_PER_PERSON, throttle
from creditcore.domain.currencies import MINOR_UNITS_PER_UNIT
from creditcore.domain.errors import CreditcoreError, InvalidRequestError, PurchaseLimitError
from creditcore.domain.money import Money
from creditcore.domain.saved_cards import SavedCard
from creditcore.domain.top_ups import MAX_A_DAY, TopUpOrder
from creditcore.usecases.payments.top_up_wallets import TopUpWish

blueprint = Blueprint("cards", __name__, url_prefix="/dashboard/billing/cards")

_USUAL_CAP_IN_TOP_UPS = 4


@blueprint.before_request
def _one_persons_alone() -> None:
    """Show no cards on a team's pages: they are one person's, and pay for their account alone."""
    if current_user.is_authenticated and account().is_team:
        raise NotFound


@blueprint.get("")
@for_people
def show() -> str:
    """Show the cards that were saved, and whether they top the balance up by themselves."""
    return _page()


@blueprint.post("/pay")
@stepped_up("cards.show")
def pay() -> Response | tuple[Any, ...]:
    """Charge a saved card now, because its holder says so; only shortly after a proof."""
    form = request.form
    try:
        attempt = attempt_name(form.get("attempt", ""))
        offer = services().payments.sales.offer(
            offers.chosen(form.get("amount_usd", "")), form.get("currency") or None
        )
        throttle().count(CHECKOUT_PER_PERSON, "checkout", person().id)
        purchase = services().payments.top_ups.charges.pay(
            person(), offer, form.get("card", ""), attempt=attempt
        )
    except (InvalidRequestError, PurchaseLimitError, TooManyRequests) as error:
        return _refused(error, "pay_")
    if purchase.is_resumable(services().clock.now()):
        # The bank wants to see its holder.
        return redirect(purchase.checkout_url, code=303)
    return redirect(url_for("payments.show", reference=purchase.reference), code=303)


@blueprint.post("/<card_id>/remove")
@for_people
def remove(card_id: str) -> Response:
    """Charge a card no more, here at once and at the provider soon."""
    services().payments.cards.remove(person(), card_id, actor=actor())
    flash("The card was removed, and is charged no more.", "success")
    return redirect(url_for("cards.show"), code=303)


@blueprint.post("/top-up/review")
@for_people
def review() -> str | tuple[Any, ...]:
    """Show the very words that turning automatic top-ups on means; nothing is stored."""
    try:
        return _review(TopUpForm.sent(request.form))
    except InvalidRequestError as error:
        return _refused(error, "")


@blueprint.post("/top-up")
@stepped_up("cards.show")
def turn_on() -> Response | tuple[Any, ...]:
    """Turn automatic top-ups on as agreed; only shortly after a proof."""
    typed = TopUpForm.sent(request.form)
    try:
        services().payments.top_ups.turn_on(
            person(),
            _wallet_id(),
            typed.wish(),
            agreed=request.form.get("agreed") == "yes",
            actor=actor(),
        )
    except InvalidRequestError as error:
        if error.param == "agreed":
            return _review(typed, str(error)), 400
        return _refused(error, "")
    flash("Automatic top-ups are on.", "success")
    return redirect(url_for("cards.show"), code=303)


@blueprint.post("/top-up/off")
@for_people
def turn_off() -> Response:
    """Turn automatic top-ups off."""
    services().payments.top_ups.turn_off(person(), _wallet_id(), actor=actor())
    flash("Automatic top-ups are off.", "success")
    return redirect(url_for("cards.show"), code=303)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpForm:
    """What stands in the form of automatic top-ups, as text."""

    card: str = ""
    threshold: str = ""
    value: str = ""
    currency: str = ""
    per_day: str = "1"
    monthly_cap: str = ""

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> Self:
        """Read a form that was sent."""
        # One page has two forms with a card and a currency, whose fields need names of their own.
        renamed = {"card": "top_up_card", "currency": "top_up_currency"}
        return cls(
            **{
                name: (form.get(renamed.get(name, name)) or form.get(name, "")).strip()[:40]
                for name in cls.__slots__
            }
        )

    @classmethod
    def of(cls, order: TopUpOrder) -> Self:
        """Show an order that is there."""
        return cls(
            card=order.card_id,
            threshold=plain_dollars(order.threshold),
            value=whole_units(order.value),
            currency=order.currency,
            per_day=str(order.per_day),
            monthly_cap=whole_units(order.monthly_cap),
        )

    @classmethod
    def first(cls) -> Self:
        """Suggest small numbers: the smallest plan, once a day, four a month."""
        value = offers.terms().plans[0]
        return cls(
            threshold="2",
            value=whole_units(value),
            monthly_cap=whole_units(Money(value.minor_units * _USUAL_CAP_IN_TOP_UPS, "USD")),
        )

    def wish(self) -> TopUpWish:
        """Read the numbers.

        Raises:
            InvalidRequestError: One of them is none.
        """
        if not self.per_day.isdecimal() or len(self.per_day) > 1:
            raise InvalidRequestError(f"Choose 1 to {MAX_A_DAY} top-ups a day.", param="per_day")
        return TopUpWish(
            card_id=self.card,
            threshold=threshold_of(self.threshold),
            value=offers.chosen(self.value, param="value"),
            currency=self.currency or offers.terms().currencies[0],
            per_day=int(self.per_day),
            monthly_cap=offers.chosen(
                self.monthly_cap,
                param="monthly_cap",
                most=offers.terms().monthly_limit.minor_units // MINOR_UNITS_PER_UNIT,
            ),
        )


def _page(errors: Mapping[str, str] | None = None) -> str:
    now = services().clock.now()
    saved = services().payments.cards.of(person())
    order = services().payments.top_ups.of(_wallet_id())
    typed = TopUpForm.of(order) if order else TopUpForm.first()
    if request.method == "POST" and "threshold" in request.form:
        typed = TopUpForm.sent(request.form)
    return render_template(
        "billing/cards.html",
        page="billing",
        saved=saved,
        usable=[card for card in saved if card.is_usable(now)],
        order=order,
        charged=_charged(saved, order),
        typed=typed,
        currencies=offers.currencies(),
        per_day_choices=range(1, MAX_A_DAY + 1),
        amount=request.form.get("amount_usd", whole_units(offers.terms().plans[0])),
        min_usd=offers.least_usd(),
        max_usd=offers.most_usd(),
        attempt=services().ids.new(),
        errors=errors or {},
        now=now,
    )


def _review(typed: TopUpForm, error: str = "") -> str:
    """Show what is agreed to, in full.

    Raises:
        InvalidRequestError: A number cannot be, or no card is chosen.
    """
    wish = typed.wish()
    card = next(
        (row for row in services().payments.cards.of(person()) if row.id == wish.card_id), None
    )
    if card is None:
        raise InvalidRequestError("Choose one of your saved cards.", param="card")
    services().payments.top_ups.check(wish)
    return render_template(
        "billing/top_up_review.html",
        page="billing",
        text=services().payments.top_ups.text(wish, card),
        typed=typed,
        error=error,
        merchant=settings().site_name,
    )


def _charged(saved: Sequence[SavedCard], order: TopUpOrder | None) -> str:
    """Return the card that an order charges, as its holder knows it."""
    found = (card.label for card in saved if order and card.id == order.card_id)
    return next(found, "a card that was removed")


def _refused(error: CreditcoreError | TooManyRequests, prefix: str) -> tuple[Any, ...]:
    """Show the page once more: what was typed, and what was wrong."""
    if isinstance(error, InvalidRequestError):
        return _page({f"{prefix}{error.param}": str(error)}), 400
    if isinstance(error, TooManyRequests):
        return _page({f"{prefix}form": str(error.description)}), 429, error.get_headers()
    return _page({f"{prefix}form": str(error)}), 429


def _wallet_id() -> str:
    with services().transactions.begin() as tx:
        return tx.ledger.find_wallet_of(person().id).id
