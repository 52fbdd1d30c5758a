"""Money that goes back to a payer."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.text import credits_text, money_from
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.money import ZERO
from creditcore.domain.refunds import RefundState
from creditcore.usecases.payments.refund_payment import RefundResult

_STATES = {
    RefundState.REQUESTED: (
        "It is not known whether the payment provider took the request. It is looked up until it "
        "is known, and never sent twice."
    ),
    RefundState.PENDING: "It is on its way back to the payer.",
    RefundState.NEEDS_ATTENTION: (
        "The payment provider needs the payer's bank details: give them on its dashboard."
    ),
    RefundState.PROCESSED: "It is back with the payer, up to what the bank takes.",
    RefundState.FAILED: "It did not reach the payer; the credits were given back.",
}


@click.command()
@click.option("--reference", required=True, help="The payment, such as cc-...")
@click.option("--amount", help="How much of it, in its currency, such as 12.50; else all of it.")
@click.option("--reason", required=True, help="Why; the payment provider keeps it too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def refund(reference: str, amount: str | None, reason: str, *, as_json: bool) -> None:
    """Give a payment back; exit 1 while it is unknown whether it worked.

    The credits are reversed in proportion first. What was spent already is owed, and blocks
    the wallet until a purchase pays it off or "debt clear" does.
    """
    with services().transactions.begin() as tx:
        purchase = tx.purchases.find(reference)
    currency = (purchase.paid or purchase.offer.price).currency
    wanted = None if amount is None else money_from(amount, currency)
    result = services().payments.refunds.refund(
        reference, wanted, reason=reason, actor=COMMAND_LINE
    )
    click.echo(_as_json(result) if as_json else _as_text(result))
    if result.refund.state in (RefundState.REQUESTED, RefundState.FAILED):
        sys.exit(1)


def _as_text(result: RefundResult) -> str:
    refund = result.refund
    lines = [
        f"{refund.amount} of payment {refund.purchase} (refund {refund.id}).",
        _STATES[refund.state],
        f"{credits_text(refund.credits)} reversed.",
    ]
    if result.owed > ZERO:
        lines.append(f"The wallet owes {credits_text(result.owed)} and is blocked until then.")
    return "\n".join(lines)


def _as_json(result: RefundResult) -> str:
    refund = result.refund
    return json.dumps(
        {
            "id": refund.id,
            "reference": refund.purchase,
            "state": refund.state,
            "amount_minor_units": refund.amount.minor_units,
            "currency": refund.amount.currency,
            "credits_reversed": str(refund.credits),
            "wallet_owes": str(result.owed),
            "provider_id": refund.provider_id or None,
        }
    )
