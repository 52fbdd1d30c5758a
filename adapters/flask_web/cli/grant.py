"""Credits that were not paid for."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import credits_text
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.money import Credits


@click.command()
@click.option("--email", help="Who gets them.")
@click.option("--team", "team_id", help="Or the id of a team.")
@click.option("--credits", "amount", required=True, help='How many, such as 200 or "0.5".')
@click.option("--reason", required=True, help="Why; kept with the transfer for ever.")
@click.option("--reference", help="Repeating a grant with the same reference changes nothing.")
@with_appcontext
def grant(
    email: str | None, team_id: str | None, amount: str, reason: str, reference: str | None
) -> None:
    """Give a person, or a team, credits that were not paid for."""
    try:
        credits_ = Credits.parse(amount)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if (email is None) == (team_id is None):
        raise click.UsageError("Say who gets them: --email, or --team.")
    owner_id, name = _owner(email, team_id)
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
    asked_at = services().clock.now()
    given = services().books.grants.grant(
        wallet.id,
        credits_,
        reason=reason,
        reference=reference or services().ids.new_reference("cli"),
        actor=COMMAND_LINE,
    )
    with services().transactions.begin() as tx:
        available = tx.ledger.find_wallet(wallet.id).available
    told = f"{name} got {credits_text(credits_)}"
    if given.at < asked_at:
        told = (
            f"Nothing was changed: with this reference {told}"
            f" on {given.at:%Y-%m-%d}, for {given.note!r},"
        )
    click.echo(f"{told} and has {available} available.")


def _owner(email: str | None, team_id: str | None) -> tuple[str, str]:
    """Return whose wallet is meant, by id and name."""
    if email is not None:
        person = person_with(email)
        return person.id, person.email
    with services().transactions.begin() as tx:
        team = tx.teams.find(team_id or "")
    return team.id, team.name
