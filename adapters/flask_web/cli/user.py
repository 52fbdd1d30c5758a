"""People's accounts."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.access import ban, invite, remove_second_factor, sign_out, unban
from adapters.flask_web.cli.move import move_to_supabase
from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import AS_JSON, facts_of, say
from adapters.flask_web.context import services, settings
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import EmailTakenError
from creditcore.domain.people import Role

user = AppGroup("user", help="People's accounts.")
for _command in (move_to_supabase, invite, ban, unban, remove_second_factor, sign_out):
    user.add_command(_command)


@user.command("create")
@click.option("--email", required=True, help="Their e-mail address.")
@click.option("--password", help="Their password; without it one is made and printed.")
@click.option("--admin", is_flag=True, help="They are an operator.")
@AS_JSON
@with_appcontext
def create_user(email: str, password: str | None, *, admin: bool, as_json: bool) -> None:
    """Make an account with a wallet and the welcome credits."""
    made_up = password is None
    if password is None:
        password = secrets.token_urlsafe(15)
    try:
        identity = services().operators.create(email, password, confirmed=True)
        person = services().people.welcome.welcome(identity)
        if admin:
            # The account was there before its welcome: its role is changed, and that is kept.
            person = services().people.roles.grant(person.id, Role.ADMIN, actor=COMMAND_LINE)
    except EmailTakenError:
        raise click.ClickException(f"{email} has an account already.") from None
    facts = facts_of("create", person) | {"role": str(person.role)}
    said = f"{person.email} can sign in at {settings().base_url}/sign-in"
    if made_up:
        facts["password"] = password
        said += f"\npassword: {password}"
    say(facts, said, as_json=as_json)


@user.command("password")
@click.option("--email", required=True, help="Whose password it is.")
@click.option("--password", help="The new one; asked for, unseen, if left out.")
@AS_JSON
@with_appcontext
def set_password(email: str, password: str | None, *, as_json: bool) -> None:
    """Set a password that was forgotten, and sign its owner out everywhere."""
    person = person_with(email)
    if password is None:
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    ended = services().people.access.set_password(person.id, password, actor=COMMAND_LINE)
    said = f"{person.email} has a new password, and is signed out everywhere."
    say(facts_of("password", person) | {"sessions_ended": ended}, said, as_json=as_json)


@user.command("grant-role")
@click.option("--email", required=True, help="Whose role changes.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="admin is an operator.",
)
@AS_JSON
@with_appcontext
def grant_role(email: str, role: str, *, as_json: bool) -> None:
    """Make a person an operator, or no longer one; they sign in anew."""
    person = services().people.roles.grant(person_with(email).id, Role(role), actor=COMMAND_LINE)
    facts = facts_of("grant-role", person) | {"role": str(person.role)}
    say(facts, f"{person.email} has the role {person.role}.", as_json=as_json)


@user.command("block")
@click.option("--email", required=True, help="Who is shut out.")
@click.option("--reason", required=True, help="Why; kept in the activity log.")
@AS_JSON
@with_appcontext
def block_user(email: str, reason: str, *, as_json: bool) -> None:
    """Shut a person out: end their sessions and revoke their keys, for good."""
    person = person_with(email)
    revoked = services().people.blocks.block(person.id, reason=reason, actor=COMMAND_LINE)
    said = f"{person.email} is blocked. Keys revoked: {revoked}."
    say(facts_of("block", person) | {"keys_revoked": revoked}, said, as_json=as_json)


@user.command("unblock")
@click.option("--email", required=True, help="Who may sign in again.")
@AS_JSON
@with_appcontext
def unblock_user(email: str, *, as_json: bool) -> None:
    """Let a person sign in again, and make new keys."""
    person = person_with(email)
    services().people.blocks.unblock(person.id, actor=COMMAND_LINE)
    said = f"{person.email} may sign in again. Their old keys stay revoked."
    say(facts_of("unblock", person), said, as_json=as_json)
