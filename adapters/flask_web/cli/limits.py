"""What all keys of an account may use together."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import counted
from adapters.flask_web.context import services, settings
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyLimits
from creditcore.domain.limits_text import limits_text, parse_limits

limits = AppGroup("limits", help="What all keys of an account may use together.")

_whose = (
    click.option("--email", help="Whose account."),
    click.option("--wallet", "wallet_id", help="Or the id of a wallet, such as a team's."),
)


@limits.command("show")
@_whose[0]
@_whose[1]
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def show(email: str | None, wallet_id: str | None, *, as_json: bool) -> None:
    """Show the limits of an account, and what its keys have used of them."""
    wallet = _wallet(email, wallet_id)
    limiting = services().keys.account_limits
    standing = limiting.standing(limiting.without_key(wallet.id))
    found, counter = standing.limits, standing.account_counter
    used = {
        "spent": str(counter.spent) if counter else "0",
        "held": str(counter.held) if counter else "0",
        "open_calls": counter.open_calls if counter else 0,
    }
    text = limits_text(found)
    if as_json:
        click.echo(json.dumps({"wallet_id": wallet.id, "limits": text, **used}, indent=2))
        return
    click.echo(f"The keys of wallet {wallet.id} may use together: {text or 'what they like'}")
    if found.is_counted:
        click.echo("Now: {spent} spent, {held} held, {open_calls} open calls".format(**used))


@limits.command("set")
@_whose[0]
@_whose[1]
@click.argument("terms")
@with_appcontext
def set_limits(email: str | None, wallet_id: str | None, terms: str) -> None:
    """Set the limits of an account, all of them: what is left out is not limited.

    TERMS are written like "rpm=600 tpm=200000 parallel=20 spend=5000/day"; "" takes all away.
    They count with the very next call, and spend from now on.
    """
    wallet = _wallet(email, wallet_id)
    try:
        wanted = parse_limits(terms)
    except ValueError as error:
        raise click.ClickException(f"{error}.") from None
    keys = services().keys.account_limits.limit(wallet.id, wanted, actor=COMMAND_LINE)
    click.echo(
        f"All keys of wallet {wallet.id} ({counted(keys, 'keys')}) may use together: "
        f"{limits_text(wanted) or 'what they like'}"
    )


@limits.command("everyone")
@with_appcontext
def everyone() -> None:
    """Give ACCOUNT_LIMITS to every account whose limits were never set."""
    wanted = settings().account_limits
    if wanted == KeyLimits():
        raise click.ClickException("ACCOUNT_LIMITS is empty: there is nothing to give.")
    count = services().keys.account_limits.limit_the_rest(wanted, actor=COMMAND_LINE)
    click.echo(f"{counted(count, 'accounts')} may use now: {limits_text(wanted)}")


def _wallet(email: str | None, wallet_id: str | None) -> Wallet:
    if (email is None) == (wallet_id is None):
        raise click.UsageError("Name the account by --email or by --wallet.")
    with services().transactions.begin() as tx:
        if wallet_id is not None:
            return tx.ledger.find_wallet(wallet_id)
    person = person_with(email or "")
    with services().transactions.begin() as tx:
        return tx.ledger.find_wallet_of(person.id)
