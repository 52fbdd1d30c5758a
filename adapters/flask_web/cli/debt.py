"""What people owe after a refund of credits that they had spent."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import credits_text
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE

debt = AppGroup("debt", help="What wallets owe after a refund.")


@debt.command("clear")
@click.option("--email", required=True, help="Whose debt it is.")
@click.option("--reason", required=True, help="Why; kept with the transfer for ever.")
@with_appcontext
def clear(email: str, reason: str) -> None:
    """Write a debt off at your own expense, so that its wallet may spend again."""
    person = person_with(email)
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person.id)
    cleared = services().payments.debts.clear(wallet.id, reason=reason, actor=COMMAND_LINE)
    told = f"owed {credits_text(cleared)}, and owes nothing" if cleared else "owes nothing"
    click.echo(f"{person.email} {told}.")
