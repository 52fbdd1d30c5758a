"""Teams: which there are, who is in them, and an owner where none can act."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import counted, credits_text
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import MemberNotFoundError
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import member_counter_id

team = AppGroup("team", help="Teams: who is in them, and an owner where none can act.")


@team.command("list")
@click.option("--email", required=True, help="Whose teams.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def list_teams(email: str, *, as_json: bool) -> None:
    """List the teams that a person is in."""
    person = person_with(email)
    found = [
        {
            "id": row.team.id,
            "name": row.team.name,
            "role": str(row.membership.role),
            "wallet_id": row.wallet.id,
            "available": str(row.wallet.available),
        }
        for row in services().teams.views.accounts(person.id)
    ]
    if as_json:
        click.echo(json.dumps({"teams": found}, indent=2))
        return
    for row in found:
        click.echo("{id}  {name}: {role}, {available} credits available".format(**row))
    click.echo(f"{person.email} is in {counted(len(found), 'teams')}.")


@team.command("show")
@click.argument("team_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def show(team_id: str, *, as_json: bool) -> None:
    """Show a team: its wallet, its members, and what each has spent of which limit."""
    now = services().clock.now()
    with services().transactions.begin() as tx:
        found = tx.teams.find(team_id)
        wallet = tx.ledger.find_wallet_of(found.id)
        rows = tx.teams.members(found.id)
        names = {row.person_id: member_counter_id(wallet.id, row.person_id) for row in rows}
        counters = tx.keys.counters(names.values())
        keys = tx.keys.list_of(found.id)
        people = {row.person_id: tx.people.find(row.person_id) for row in rows}
    members = []
    for row in rows:
        counter = counters.get(names[row.person_id])
        counter = counter and counter.at(counter.calendar, now)
        person = people[row.person_id]
        members.append(
            {
                "person_id": row.person_id,
                "email": person.email if person else "",
                "role": str(row.role),
                "spent": str(counter.spent) if counter else "0",
                "limit": str(counter.limit) if counter and counter.limit is not None else None,
                "keys": len(_open_of(keys, row.person_id)),
            }
        )
    if as_json:
        deleted_at = found.deleted_at.isoformat() if found.deleted_at else None
        head = {"id": found.id, "name": found.name, "deleted_at": deleted_at}
        money = {"wallet_id": wallet.id, "available": str(wallet.available)}
        click.echo(json.dumps({**head, **money, "members": members}, indent=2))
        return
    gone = f", deleted on {found.deleted_at:%Y-%m-%d}" if found.deleted_at else ""
    click.echo(f"{found.name} ({found.id}){gone}")
    click.echo(f"Wallet {wallet.id}: {credits_text(wallet.available)} available")
    for member in members:
        limit = f" of {member['limit']}" if member["limit"] else ""
        click.echo(f"{member['email']}: {member['role']}, {member['spent']}{limit} credits spent")


@team.command("appoint")
@click.argument("team_id")
@click.option("--email", required=True, help="Which member becomes an owner.")
@with_appcontext
def appoint(team_id: str, email: str) -> None:
    """Make a member an owner: for a team whose owners are gone, or cannot sign in."""
    person = person_with(email)
    try:
        services().teams.keep.appoint(team_id, person.id, actor=COMMAND_LINE)
    except MemberNotFoundError:
        raise click.ClickException(f"{person.email} is no member of this team.") from None
    click.echo(f"{person.email} is an owner now.")


def _open_of(keys: Sequence[ApiKey], person_id: str) -> list[ApiKey]:
    return [key for key in keys if key.holder_id == person_id and key.revoked_at is None]
