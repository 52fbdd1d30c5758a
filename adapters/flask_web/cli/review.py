"""Payments that were held back."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import credits_text
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.money import Credits
from creditcore.domain.reviews import ReviewState

review = AppGroup("review", help="Payments that wait for a decision.")

_REFERENCE = click.option("--reference", required=True, help="The payment, as listed.")
_REASON = click.option("--reason", required=True, help="Why; kept in the activity log for ever.")


@review.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def list_reviews(limit: int, *, as_json: bool) -> None:
    """List payments that were not credited, oldest first."""
    found = services().payments.reviews.waiting(limit=limit)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "reference": row.reference,
                        "kind": row.kind,
                        "state": row.state,
                        "amount_minor_units": row.amount.minor_units,
                        "currency": row.amount.currency,
                        "reason": row.reason,
                        "opened_at": row.opened_at.isoformat(),
                    }
                    for row in found
                ]
            )
        )
        return
    for row in found:
        click.echo(
            f"{row.opened_at:%Y-%m-%d %H:%M} UTC  {row.kind:17}  {row.amount}  {row.reference}"
        )
        click.echo(f"    {row.reason}")
    if not found:
        click.echo("Nothing waits for a decision.")


@review.command("credit")
@_REFERENCE
@click.option("--credits", "amount", help="How many; else what was offered, in proportion.")
@click.option("--email", help="Who gets them, where the reference is none of ours.")
@_REASON
@with_appcontext
def credit(reference: str, amount: str | None, email: str | None, reason: str) -> None:
    """Grant credits for a payment that was held back."""
    try:
        wanted = None if amount is None else Credits.parse(amount)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    granted = services().payments.reviews.credit(
        reference,
        reason=reason,
        credits_=wanted,
        person=None if email is None else person_with(email),
        actor=COMMAND_LINE,
    )
    click.echo(f"{credits_text(granted)} granted for payment {reference}.")


@review.command("refund")
@_REFERENCE
@_REASON
@with_appcontext
def refund(reference: str, reason: str) -> None:
    """Give a payment that was held back to its payer; exit 1 while that is not known."""
    state = services().payments.reviews.refund(reference, reason=reason, actor=COMMAND_LINE)
    if state is ReviewState.REFUNDING:
        click.echo(
            f"It is not known yet whether the refund of {reference} was made. Run this again to "
            "look it up; it is not sent twice."
        )
        sys.exit(1)
    click.echo(f"Payment {reference} is on its way back.")


@review.command("dismiss")
@_REFERENCE
@_REASON
@with_appcontext
def dismiss(reference: str, reason: str) -> None:
    """Leave a payment as it is: nothing is credited, and nothing goes back."""
    services().payments.reviews.dismiss(reference, reason=reason, actor=COMMAND_LINE)
    click.echo(f"Payment {reference} waits no longer.")
