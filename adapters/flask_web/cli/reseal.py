"""Seal anew what an earlier AUTH_SECRET sealed."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.text import AS_JSON
from adapters.flask_web.context import services
from creditcore.usecases.people.reseal_secrets import Counts


@click.command()
@AS_JSON
@with_appcontext
def reseal(*, as_json: bool) -> None:
    """Seal codes of saved cards and second factors anew, under AUTH_SECRET.

    What is still under AUTH_SECRET_PREVIOUS moves to AUTH_SECRET, while the gateway runs. Broken
    off, it goes on where it was when it is run again. Exit 1 if something opens with neither.
    """
    counts = services().people.seals.reseal(
        progress=(lambda _: None) if as_json else _show_progress
    )
    click.echo(_as_json(counts) if as_json else _as_text(counts))
    if any(count.unreadable for count in counts.values()):
        sys.exit(1)


def _show_progress(counts: Counts) -> None:
    click.echo(f"{sum(count.newest for count in counts.values()):,} done", err=True)


def _as_text(counts: Counts) -> str:
    lines = [
        f"{kind.replace('_', ' ')}: {count.newest:,} under AUTH_SECRET"
        + (f", {count.unreadable:,} cannot be read" if count.unreadable else "")
        for kind, count in counts.items()
    ]
    if any(count.unreadable for count in counts.values()):
        lines.append(
            "What cannot be read was sealed with another secret: put that into "
            "AUTH_SECRET_PREVIOUS and run this again."
        )
    else:
        lines.append("Nothing needs AUTH_SECRET_PREVIOUS any more.")
    return "\n".join(lines)


def _as_json(counts: Counts) -> str:
    return json.dumps(
        {
            "clean": not any(count.unreadable for count in counts.values()),
            **{
                kind.value: {"under_auth_secret": count.newest, "unreadable": count.unreadable}
                for kind, count in counts.items()
            },
        }
    )
