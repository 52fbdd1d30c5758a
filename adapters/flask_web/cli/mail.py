"""Mail: whether it leaves, and to whom it does not."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import CreditcoreError
from creditcore.domain.people import clean_email

mail = AppGroup("mail", help="Mail that leaves, and addresses that refuse it.")


@mail.command("test")
@click.option("--to", "email", required=True, help="Where the mail goes.")
@with_appcontext
def test(email: str) -> None:
    """Send a mail now, past all queues, and say what the server said."""
    services().operations.mails.send_test(_address(email))
    click.echo(f"The mail server has taken a mail to {email}.")


@mail.command("suppressed")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def suppressed(limit: int, *, as_json: bool) -> None:
    """List addresses that refused mail for good, the latest first."""
    with services().transactions.begin() as tx:
        found = tx.mail_recipients.refused(limit=limit)
    if as_json:
        facts = [
            {
                "email": each.address,
                "refused_at": each.refused_at.isoformat() if each.refused_at else None,
                "refusal": each.refusal,
            }
            for each in found
        ]
        click.echo(json.dumps(facts, indent=2))
        return
    for each in found:
        click.echo(f"{each.refused_at:%Y-%m-%d %H:%M:%S} UTC  {each.address}\n    {each.refusal}")
    if not found:
        click.echo("Mail goes to every address.")


@mail.command("release")
@click.option("--email", required=True, help="The address that takes mail again.")
@with_appcontext
def release(email: str) -> None:
    """Let mail go to an address that had refused it."""
    was_suppressed = services().operations.mails.release(_address(email), actor=COMMAND_LINE)
    click.echo(f"Mail goes to {email} {'again' if was_suppressed else 'anyway'}.")


def _address(email: str) -> str:
    try:
        return clean_email(email)
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from None
