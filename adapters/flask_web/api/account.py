"""The account, for programs: with an API key, or in a browser session."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_login import current_user

from adapters.flask_web.context import services
from adapters.flask_web.web.bearer import bearer_secret
from adapters.flask_web.web.session import person
from creditcore.domain.errors import KeyRefusedError
from creditcore.domain.holds import Call
from creditcore.domain.ledger import Wallet
from creditcore.domain.pricing import usd_text
from creditcore.usecases.calls.write_receipt import Receipt

blueprint = Blueprint("account_api", __name__, url_prefix="/api/v1")


@blueprint.get("/credits")
def credits_() -> Response:
    """Return the balance, in credits as exact decimal text."""
    wallet = _wallet_of_caller()
    return jsonify(
        posted=str(wallet.posted), held=str(wallet.held), available=str(wallet.available)
    )


@blueprint.get("/calls/<call_id>")
def call(call_id: str) -> Response:
    """Return the receipt of one call: how its cost came about.

    ``reported_cost_usd`` is what the model server says that the call cost, exactly as text, or
    null where it said nothing. It is shown for comparison: nothing is charged by it.
    """
    wallet = _wallet_of_caller()
    return jsonify(_receipt(services().receipts.write(call_id, wallet_id=wallet.id)))


def _receipt(receipt: Receipt) -> dict[str, Any]:
    hold, outcome = receipt.call, receipt.call.outcome
    call = hold.call or Call(model="")
    return {
        "id": hold.reference,
        "model": call.model,
        "endpoint": call.endpoint,
        "stream": call.stream,
        "state": hold.state,
        "status": outcome.status or None,
        "error": outcome.error,
        "created_at": hold.created_at.isoformat(),
        "closed_at": hold.closed_at.isoformat() if hold.closed_at else None,
        "latency_ms": outcome.latency_ms,
        "first_byte_ms": outcome.first_byte_ms,
        "basis": outcome.basis,
        "lines": [
            {
                "bucket": line.bucket,
                "tokens": line.tokens,
                "usd_per_token": usd_text(line.price_units),
                "usd": usd_text(line.cost_units),
            }
            for line in receipt.lines
        ],
        "provider_cost_usd": usd_text(receipt.provider_cost_units),
        "reported_cost_usd": receipt.reported_cost_usd,
        "credits_per_cent": call.multiplier,
        "hold": str(hold.amount),
        "charge": str(hold.charged),
        "written_off": str(hold.written_off),
    }


def _wallet_of_caller() -> Wallet:
    header = request.headers.get("Authorization")
    if header is not None:
        key = services().recognise.recognise(bearer_secret(header))
        with services().transactions.begin() as tx:
            return tx.ledger.find_wallet(key.wallet_id)
    if not current_user.is_authenticated:
        raise KeyRefusedError("missing")
    owner = person()
    with services().transactions.begin() as tx:
        return tx.ledger.find_wallet_of(owner.id)
