"""Who did what to what."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.context import services
from creditcore.domain.activity import Activity


@click.command()
@click.option("--email", help="Only what concerns this account.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--before", type=int, help="Only acts with a lower number, for the next page.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def activity(email: str | None, limit: int, before: int | None, *, as_json: bool) -> None:
    """List who did what to what, from where, newest first."""
    person_id = person_with(email).id if email else None
    with services().transactions.begin() as tx:
        found = tx.activity.recent(limit=limit, before=before, person_id=person_id)
    if as_json:
        click.echo(json.dumps([asdict(act) for act in found], default=str, indent=2))
        return
    for act in found:
        click.echo(_line(act))
    if not found:
        click.echo("Nothing was done yet.")


def _line(act: Activity) -> str:
    changes = ", ".join(f"{name}: {_change(act, name)}" for name in {**act.before, **act.after})
    address = f" from {act.actor.address}" if act.actor.address else ""
    told = f"{act.number}  {act.at:%Y-%m-%d %H:%M:%S} UTC  {act.act}  {act.target}"
    return f"{told}\n    by {act.actor.id}{address}" + (f"; {changes}" if changes else "")


def _change(act: Activity, name: str) -> str:
    now = act.after.get(name)
    return f"{act.before[name]} -> {now}" if name in act.before else str(now)
