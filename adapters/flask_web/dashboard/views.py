"""What a person sees of their own calls and balance."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.dashboard.keys_by_id import KeyNames
from adapters.flask_web.dashboard.usage_charts import spend_chart
from adapters.flask_web.web.account import account
from adapters.flask_web.web.first_steps import guide_of
from adapters.flask_web.web.model_offers import example_model
from adapters.flask_web.web.session import for_people
from adapters.flask_web.web.slot_labels import edge_label
from adapters.flask_web.web.zone import zone
from creditcore.domain.holds import Hold
from creditcore.ports.calls import Place, WantedCalls

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")

_RECENT_CALLS = 8
_PAST_PRICES = 20


@blueprint.get("")
@for_people
def home() -> str:
    """Show the balance and how long it lasts, what was used lately, and how to begin."""
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        calls = tx.calls.recent(wallet.id, limit=_RECENT_CALLS)
        keys = tx.keys.list_of(owner_id)
        names = KeyNames.read(tx, account(), wallet.id)
        last_uses = tx.usage_hours.last_uses(wallet.id)
        guide = guide_of(tx, wallet.id, keys)
    at_home = services().books.insight.at_home(wallet, zone())
    return render_template(
        "dashboard/home.html",
        page="home",
        wallet=wallet,
        calls=calls,
        at_home=at_home,
        chart=spend_chart(at_home.days, lambda _name: "Spend"),
        edge_label=edge_label,
        names=names,
        last_uses=last_uses,
        keys=[key for key in keys if key.revoked_at is None],
        example_model=example_model(),
        guide=guide,
        guide_key_id=services().keys.issuing.new_id(),
    )


@blueprint.get("/calls/<call_id>")
@for_people
def call(call_id: str) -> str | Response:
    """Show the receipt of one call: how its cost came about."""
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        names = KeyNames.read(tx, account(), wallet.id)
        refused = tx.refusals.find(call_id, wallet_id=wallet.id) if "\x00" not in call_id else None
    if refused is not None:
        # It never began, so there is no receipt: the page that says why has it.
        return redirect(url_for("calls.refused", q=call_id))
    receipt = services().calls.receipts.write(call_id, wallet_id=wallet.id)
    hold = receipt.call
    key_id = hold.call.key_id if hold.call else None
    wanted, here = WantedCalls(wallet_id=wallet.id), Place(hold.created_at, hold.reference)
    with services().transactions.begin() as tx:
        earlier = [row.reference for row in tx.calls.older(wanted, than=here, limit=1)]
        later = [row.reference for row in tx.calls.newer(wanted, than=here, limit=1)]
    before = None
    if hold.closed_at is not None and hold.charged:
        with services().transactions.begin() as tx:
            before = tx.statements.posted_at(wallet.id, hold.closed_at)
    return render_template(
        "dashboard/call.html",
        page="call",
        section="calls",
        wallet=wallet,
        receipt=receipt,
        hold=hold,
        key=names.keys.get(key_id or ""),
        made_with=names.of_call(hold),
        earlier=next(iter(earlier), None),
        later=next(iter(later), None),
        priced_since=_priced_since(hold),
        given_back=hold.amount - hold.charged,
        before=before,
        after=None if before is None else before - hold.charged,
        cost=hold.charged + hold.written_off,
    )


def _priced_since(hold: Hold) -> datetime | None:
    """Return since when a call's price had been valid; None where it is not known."""
    if hold.call is None:
        return None
    past = services().calls.prices.catalogue.history(hold.call.model, limit=_PAST_PRICES)
    return next((each.at for each in past if each.at <= hold.created_at), None)
