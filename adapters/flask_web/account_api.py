"""The account, for programs: with an API key, or in a browser session."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from flask_login import current_user

from adapters.flask_web.bearer import bearer_secret
from adapters.flask_web.session import person, services
from creditcore.domain.errors import KeyRefusedError
from creditcore.domain.ledger import Wallet

blueprint = Blueprint("account_api", __name__, url_prefix="/api/v1")


@blueprint.get("/credits")
def credits_() -> Response:
    """Return the balance, in credits as exact decimal text."""
    wallet = _wallet_of_caller()
    return jsonify(
        posted=str(wallet.posted), held=str(wallet.held), available=str(wallet.available)
    )


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
