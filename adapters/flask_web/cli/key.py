"""API keys."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.keys import Scope

key = AppGroup("key", help="API keys.")


@key.command("issue")
@click.option("--email", required=True, help="Whose key it is.")
@click.option("--name", default="command line", show_default=True, help="What to call it.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.INFERENCE.value],
    show_default=True,
    help="What it may be used for; may be given several times.",
)
@with_appcontext
def issue_key(email: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make an API key and print it, this once, alone on its line."""
    _, secret = services().keys.issuing.issue(
        person_with(email).id,
        name=name,
        scopes=[Scope(scope) for scope in scopes],
        actor=COMMAND_LINE,
    )
    click.echo(secret.text)
