"""Bring the schema up to date."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from adapters.flask_web.context import services


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database schema up to date. Safe to repeat, and to run from many hosts."""
    applied = services().migrate()
    click.echo("\n".join(f"applied {name}" for name in applied) or "The schema is up to date.")
