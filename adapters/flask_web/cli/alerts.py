"""What an operator should look at."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from adapters.flask_web.context import services


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def alerts(limit: int, *, as_json: bool) -> None:
    """List what an operator should look at, newest first."""
    with services().transactions.begin() as tx:
        found = tx.alerts.recent(limit=limit)
    if as_json:
        click.echo(json.dumps([asdict(alert) for alert in found], default=str, indent=2))
        return
    for alert in found:
        click.echo(f"{alert.at:%Y-%m-%d %H:%M:%S} UTC  {alert.severity:8}  {alert.subject}")
        click.echo(f"    {alert.message}")
    if not found:
        click.echo("Nothing to look at.")
