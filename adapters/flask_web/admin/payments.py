"""Payments of all accounts, those that wait for a decision, refunds, and webhooks as received."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, for_money, page
from adapters.flask_web.context import services
from adapters.flask_web.web.formatting import credits_text, money
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import actor, for_operators
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayError,
    PurchaseNotFoundError,
    ReviewNotFoundError,
)
from creditcore.domain.money import Credits, Money
from creditcore.domain.people import clean_email
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.reviews import Review, ReviewState

STATES = {
    "": "Any state",
    PurchaseState.PAID: "Paid",
    PurchaseState.PENDING: "Waiting for payment",
    PurchaseState.UNDER_REVIEW: "Under review",
    PurchaseState.FAILED: "Failed",
    PurchaseState.REVERSED: "Reversed",
}
_MAX_REVIEWS = 200
_MINOR_UNITS = 100
_MAX_MINOR_UNITS = 10**12


@blueprint.get("/payments")
@for_operators
def payments() -> str:
    """List payments of all accounts, in one state or in any."""
    asked = request.args.get("state", "")
    state = PurchaseState(asked) if asked in set(PurchaseState) else None
    before = place_sent(request.args, "before")
    with services().transactions.begin() as tx:
        found = tx.oversight.purchases(limit=ON_A_PAGE + 1, before=before, state=state)
    shown = found[:ON_A_PAGE]
    last = shown[-1] if len(found) > ON_A_PAGE else None
    return page(
        "payments.html",
        "payments",
        purchases=shown,
        states=STATES,
        asked=asked if state else "",
        is_first=before is None,
        older=place_text(last.created_at, last.reference) if last else None,
    )


@blueprint.get("/payments/<reference>")
@for_operators
def payment(reference: str) -> str:
    """Show one payment: what was asked, paid, credited and given back, and its webhooks."""
    with services().transactions.begin() as tx:
        purchase = tx.purchases.find(reference)
        refunds = tx.refunds.of(reference)
        review = tx.reviews.find(reference)
        events = [
            each for each in tx.oversight.search(reference, limit=ON_A_PAGE)
            if each.kind == "webhook"
        ]  # fmt: skip
        person = tx.people.find(purchase.owner_id)
    return page(
        "payment.html",
        "payments",
        purchase=purchase,
        refunds=refunds,
        review=review,
        events=events,
        buyer=person,
        may_refund=purchase.state is PurchaseState.PAID,
    )


@blueprint.get("/payments/<reference>/refund")
@for_money
def refund_form(reference: str) -> str:
    """Ask how much goes back, and why."""
    return _refund_page(_purchase(reference))


@blueprint.post("/payments/<reference>/refund")
@for_money
def refund(reference: str) -> str | Response | tuple[str, int]:
    """Say what will go back; order it once that is confirmed."""
    purchase = _purchase(reference)
    reason = " ".join(request.form.get("reason", "").split())
    if not reason:
        return _refund_page(purchase, {"reason": "A refund has a reason."}), 400
    try:
        amount = _amount(request.form.get("amount", ""), purchase)
        if request.form.get("confirmed") != "yes":
            return _refund_page(purchase, preview=_refund_preview(purchase, amount))
        result = services().payments.refund_orders.order(
            reference,
            amount,
            reason=reason,
            attempt=request.form.get("attempt", "")[:100],
            actor=actor(),
        )
    except InvalidRequestError as error:
        return _refund_page(purchase, {error.param or "form": str(error)}), 400
    except PaymentGatewayError as error:
        return _refund_page(purchase, {"form": str(error)}), 502
    flash(f"{money(result.refund.amount)} of {reference}: {result.refund.state}.", "success")
    return redirect(url_for("admin.payment", reference=reference))


@blueprint.get("/reviews")
@for_operators
def reviews() -> str:
    """List payments that were not credited, the oldest first."""
    found = services().payments.reviews.waiting(limit=_MAX_REVIEWS)
    buyers: dict[str, str] = {}
    with services().transactions.begin() as tx:
        for review in found:
            # A payment under a reference that is none of ours has no buyer.
            with suppress(PurchaseNotFoundError):
                buyers[review.reference] = tx.purchases.find(review.reference).email
    return page("reviews.html", "reviews", reviews=found, buyers=buyers)


@blueprint.get("/reviews/<reference>")
@for_money
def review_form(reference: str) -> str:
    """Show a payment that waits, and what can be decided."""
    return _review_page(_review(reference))


@blueprint.post("/reviews/<reference>")
@for_money
def review(reference: str) -> str | Response | tuple[str, int]:
    """Credit, refund or dismiss a payment, once what that does is confirmed."""
    found = _review(reference)
    try:
        decision = _Decision.sent()
        if request.form.get("confirmed") != "yes":
            return _review_page(found, preview=decision.preview(found))
        told = decision.take(reference)
    except InvalidRequestError as error:
        return _review_page(found, {error.param or "form": str(error)}), 400
    except PaymentGatewayError as error:
        return _review_page(found, {"form": str(error)}), 502
    flash(told, "success")
    return redirect(url_for("admin.reviews"))


@blueprint.get("/webhooks")
@for_operators
def webhooks() -> str:
    """List webhooks as they were received, or those that are not processed yet."""
    only_waiting = request.args.get("waiting") == "yes"
    before = place_sent(request.args, "before")
    with services().transactions.begin() as tx:
        found = tx.oversight.events(limit=ON_A_PAGE + 1, before=before, only_waiting=only_waiting)
        depth = tx.oversight.inbox()
    shown = found[:ON_A_PAGE]
    last = shown[-1] if len(found) > ON_A_PAGE else None
    return page(
        "webhooks.html",
        "webhooks",
        events=shown,
        depth=depth,
        only_waiting=only_waiting,
        is_first=before is None,
        older=place_text(last.received_at, last.digest) if last else None,
    )


@blueprint.get("/webhooks/<digest>")
@for_operators
def webhook(digest: str) -> str:
    """Show one webhook with the text that was signed."""
    with services().transactions.begin() as tx:
        event = tx.oversight.event(digest)
        is_ours = bool(tx.purchases.among([event.reference]))
    return page(
        "webhook.html", "webhooks", event=event, body=_readable(event.body), is_ours=is_ours
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What the form says should become of a payment."""

    name: str
    reason: str
    credits_: Credits | None
    email: str

    @classmethod
    def sent(cls) -> _Decision:
        """Read the form.

        Raises:
            InvalidRequestError: Something in it cannot be read.
        """
        name = request.form.get("decision", "")
        if name not in ("credit", "refund", "dismiss"):
            raise InvalidRequestError("Choose what becomes of it.", param="decision")
        reason = " ".join(request.form.get("reason", "").split())
        if not reason:
            raise InvalidRequestError("A decision has a reason.", param="reason")
        amount, email = request.form.get("credits", "").strip(), request.form.get("email", "")
        try:
            credits_ = Credits.parse(amount) if amount else None
        except ValueError:
            raise InvalidRequestError("How many credits, such as 200?", param="credits") from None
        if email.strip():
            email = clean_email(email)
        return cls(name=name, reason=reason, credits_=credits_, email=email.strip())

    def preview(self, review: Review) -> str:
        """Say what it will do."""
        paid = money(review.amount)
        match self.name:
            case "credit":
                many = (
                    credits_text(self.credits_) if self.credits_ else "what it buys in proportion"
                )
                return f"{paid} is kept, and {self.email or 'its buyer'} gets {many}."
            case "refund":
                return f"{paid} goes back to its payer. Nothing is credited."
            case _:
                return f"{paid} stays as it is: nothing is credited, nothing goes back."

    def take(self, reference: str) -> str:
        """Carry it out; return what happened."""
        reviews = services().payments.reviews
        match self.name:
            case "credit":
                person = None
                if self.email:
                    with services().transactions.begin() as tx:
                        person = tx.people.find_by_email(self.email)
                    if person is None:
                        raise InvalidRequestError("No account has this address.", param="email")
                granted = reviews.credit(
                    reference,
                    reason=self.reason,
                    credits_=self.credits_,
                    person=person,
                    actor=actor(),
                )
                return f"{credits_text(granted)} were granted for payment {reference}."
            case "refund":
                state = reviews.refund(reference, reason=self.reason, actor=actor())
                if state is ReviewState.REFUNDING:
                    return "It is not known yet whether the refund was made: decide again to look."
                return f"Payment {reference} is on its way back."
            case _:
                reviews.dismiss(reference, reason=self.reason, actor=actor())
                return f"Payment {reference} waits no longer."


def _review(reference: str) -> Review:
    with services().transactions.begin() as tx:
        found = tx.reviews.find(reference)
    if found is None:
        raise ReviewNotFoundError(reference)
    return found


def _review_page(review: Review, errors: dict[str, str] | None = None, *, preview: str = "") -> str:
    try:
        purchase = _purchase(review.reference)
    except PurchaseNotFoundError:
        purchase = None
    return page(
        "review.html",
        "reviews",
        review=review,
        purchase=purchase,
        errors=errors or {},
        preview=preview,
        typed=request.form,
    )


def _purchase(reference: str) -> Purchase:
    with services().transactions.begin() as tx:
        return tx.purchases.find(reference)


def _refund_page(
    purchase: Purchase, errors: dict[str, str] | None = None, *, preview: str = ""
) -> str:
    return page(
        "refund.html",
        "payments",
        purchase=purchase,
        paid=purchase.paid or purchase.offer.price,
        errors=errors or {},
        preview=preview,
        typed=request.form,
        attempt=request.form.get("attempt") or services().ids.new(),
    )


def _refund_preview(purchase: Purchase, amount: Money | None) -> str:
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet(purchase.wallet_id)
    told = f"{money(amount)} goes" if amount else "All that is left of the payment goes"
    return (
        f"{told} back to {purchase.email}, and the credits it bought are taken in proportion. "
        f"{credits_text(wallet.available)} are there now; what was spent already is owed."
    )


def _amount(text: str, purchase: Purchase) -> Money | None:
    """Return the amount of a form in the payment's currency; None for all that is left."""
    text = text.strip().replace(",", "")
    if not text:
        return None
    currency = (purchase.paid or purchase.offer.price).currency
    known = CURRENCIES.get(currency)
    decimals = known.decimals if known else 2
    whole, _, rest = text.partition(".")
    digits = whole + rest.ljust(2, "0")
    is_amount = (
        whole.isascii() and whole.isdigit() and len(rest) <= decimals
        and digits.isascii() and digits.isdigit()
    )  # fmt: skip
    if not is_amount or not 0 < int(digits) <= _MAX_MINOR_UNITS:
        raise InvalidRequestError(
            f"An amount of {currency} above zero, such as 12.50; empty for all of it.",
            param="amount",
        )
    return Money(int(digits), currency)


def _readable(body: str) -> str:
    """Return JSON with its parts on lines of their own; anything else as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
