"""How a person gets in: invitations, bans, lost second factors, sessions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.cli.text import AS_JSON, counted, facts_of, say
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import EmailTakenError, NotOfferedError

_LENGTH = re.compile(r"([1-9][0-9]{0,4})([hd])")
_EMAIL = click.option("--email", required=True, help="Whose account it is.")


@click.command("invite")
@click.option("--email", required=True, help="Who is invited.")
@AS_JSON
@with_appcontext
def invite(email: str, *, as_json: bool) -> None:
    """Mail a person a link by which they choose a password; a repeat mails another."""
    try:
        invited = services().people.access.invite(email, actor=COMMAND_LINE)
    except EmailTakenError:
        raise click.ClickException(f"{email} has an account already.") from None
    except NotOfferedError:
        raise click.ClickException("No mail is sent from here: set MAIL_URL first.") from None
    said = f"{invited.email} is invited; the link works for 7 days."
    say({"act": "invite", "email": invited.email, "id": invited.subject}, said, as_json=as_json)


@click.command("ban")
@_EMAIL
@click.option("--reason", required=True, help="Why; kept in the activity log.")
@click.option("--for", "length", help="For how long, such as 24h or 30d; for good if left out.")
@AS_JSON
@with_appcontext
def ban(email: str, reason: str, length: str | None, *, as_json: bool) -> None:
    """Keep a person out of their account, and end its sessions; its API keys go on.

    To stop the keys too, `user block` it.
    """
    person = person_with(email)
    until = None if length is None else services().clock.now() + _length(length)
    ended = services().people.access.ban(person.id, reason=reason, until=until, actor=COMMAND_LINE)
    shown = f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if until else None
    said = f"{person.email} cannot sign in {f'until {shown}' if shown else 'any more'}."
    facts = {"until": _iso(until), "sessions_ended": ended}
    say(
        facts_of("ban", person) | facts,
        f"{said} Sessions ended: {ended}.",
        as_json=as_json,
    )


@click.command("unban")
@_EMAIL
@AS_JSON
@with_appcontext
def unban(email: str, *, as_json: bool) -> None:
    """Let a person sign in again."""
    person = person_with(email)
    services().people.access.unban(person.id, actor=COMMAND_LINE)
    say(facts_of("unban", person), f"{person.email} may sign in again.", as_json=as_json)


@click.command("remove-second-factor")
@_EMAIL
@click.option("--reason", required=True, help="How they showed who they are; kept for ever.")
@AS_JSON
@with_appcontext
def remove_second_factor(email: str, reason: str, *, as_json: bool) -> None:
    """Let the password be enough for who lost the authenticator app; ends their sessions."""
    person = person_with(email)
    removed = services().people.access.remove_second_factor(
        person.id, reason=reason, actor=COMMAND_LINE
    )
    said = f"{person.email} signs in with the password alone now, and is signed out everywhere."
    if not removed:
        said = f"{person.email} has no second factor. Nothing was changed."
    facts = facts_of("remove-second-factor", person) | {"removed": removed}
    say(facts, said, as_json=as_json)


@click.command("sign-out")
@_EMAIL
@AS_JSON
@with_appcontext
def sign_out(email: str, *, as_json: bool) -> None:
    """Sign a person out everywhere, here and at the identity provider."""
    person = person_with(email)
    ended = services().people.access.sign_out(person.id, actor=COMMAND_LINE)
    said = f"{person.email} is signed out everywhere: {counted(ended, 'sessions')} ended."
    say(facts_of("sign-out", person) | {"sessions_ended": ended}, said, as_json=as_json)


def _length(text: str) -> timedelta:
    shape = _LENGTH.fullmatch(text)
    if shape is None:
        raise click.ClickException(f"{text} is no length of time: write it like 24h or 30d.")
    hours = int(shape[1]) * (24 if shape[2] == "d" else 1)
    return timedelta(hours=hours)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
