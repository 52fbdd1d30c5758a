"""One box for a person's own things: calls, keys, payments and models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web.account import account
from adapters.flask_web.web.session import for_people
from creditcore.domain.errors import NotFoundError
from creditcore.domain.keys import ApiKey
from creditcore.ports.transactions import Transaction

blueprint = Blueprint("search", __name__, url_prefix="/dashboard/search")

_MAX_TEXT_LENGTH = 200
_PAYMENTS = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found, and where it is shown."""

    what: str
    label: str
    address: str


@blueprint.get("")
@for_people
def show() -> str | Response:
    """Find what a text names; one find alone is led to at once."""
    text = request.args.get("q", "").strip()[:_MAX_TEXT_LENGTH]
    hits = list(_hits(text)) if text and "\x00" not in text else []
    if len(hits) == 1:
        return redirect(hits[0].address)
    return render_template("dashboard/search.html", page="search", text=text, hits=hits)


def _hits(text: str) -> Iterator[Hit]:
    chosen = account()
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(chosen.id)
        yield from _calls(tx, text, wallet.id)
        yield from (
            Hit("Key", f"{key.name} \u2026{key.last_four}", url_for("keys.one", key_id=key.id))
            for key in tx.keys.list_of(chosen.id)
            # Of a team's keys, members see their own.
            if _names(key, text) and chosen.seen_holder_id in ("", key.holder_id)
        )
        if chosen.buys:
            yield from _payments(tx, text, chosen.id)
    yield from (
        Hit("Model", price.model, url_for("models.one", name=price.model))
        for price in services().calls.prices.all()
        if text.lower() in price.model.lower()
    )


def _calls(tx: Transaction, text: str, wallet_id: str) -> Iterator[Hit]:
    with suppress(NotFoundError):
        hold = tx.calls.find(text, wallet_id=wallet_id)
        yield Hit("Call", hold.reference, url_for("dashboard.call", call_id=hold.reference))
    if refused := tx.refusals.find(text, wallet_id=wallet_id):
        yield Hit("Refused call", refused.reference, url_for("calls.refused", q=text))


def _payments(tx: Transaction, text: str, owner_id: str) -> Iterator[Hit]:
    found = list(tx.purchases.with_number(text, owner_id=owner_id, limit=_PAYMENTS))
    with suppress(NotFoundError):
        purchase = tx.purchases.find(text)
        if purchase.owner_id == owner_id:
            found.append(purchase)
    for reference in dict.fromkeys(purchase.reference for purchase in found):
        yield Hit("Payment", reference, url_for("payments.show", reference=reference))


def _names(key: ApiKey, text: str) -> bool:
    # Never by more than lists show: a whole key in an address would be kept in logs.
    return text in (key.last_four, key.prefix, key.id) or text.lower() == key.name.lower()
