"""What people are told by mail: that their balance is low."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.billing.views import billing_page
from adapters.flask_web.context import services
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.session import person
from creditcore.domain.access import Action
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Credits, decimal_ratio

_MAX_CENTS = 1_000_000

blueprint = Blueprint("notices", __name__, url_prefix="/dashboard/billing/notices")


@blueprint.post("")
@allowed(Action.BUY_CREDITS)
def choose() -> Response | tuple[str, int]:
    """Choose below which balance to be told; an empty field or 0 is never."""
    try:
        threshold = threshold_of(request.form.get("threshold", ""))
        owner_id = account().id
        with services().transactions.begin() as tx:
            wallet = tx.ledger.find_wallet_of(owner_id)
        services().payments.balances.choose(wallet.id, person().id, threshold)
    except InvalidRequestError as error:
        return billing_page({"threshold": str(error)}), 400
    flash(
        "Saved. You are told by mail." if threshold else "Saved. You are told nothing.", "success"
    )
    return redirect(url_for("billing.show") + "#notices", code=303)


def threshold_of(text: str) -> Credits:
    """Read an amount of dollars that a person typed, as credits.

    Raises:
        InvalidRequestError: It is no amount, or has more than two decimals.
    """
    try:
        numerator, denominator = decimal_ratio(text.strip() or "0")
    except ValueError:
        numerator, denominator = 1, 1000
    cents, rest = divmod(numerator * 100, denominator)
    if rest or not 0 <= cents <= _MAX_CENTS:
        raise InvalidRequestError(
            "Type an amount in dollars such as 5 or 2.50, up to 10,000; 0 is never.",
            param="threshold",
        )
    return Credits.of(cents)
