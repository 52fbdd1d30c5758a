"""Move local accounts to Supabase Auth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.text import counted
from adapters.flask_web.context import services
from creditcore.domain.errors import IdentityUnavailableError
from creditcore.usecases.people.move_accounts import Move, Moved

_SAID = {
    Move.MOVED: "moved",
    Move.THERE: "is there already",
    Move.UNCONFIRMED: "stays: the address was never confirmed",
    Move.JOINED: "is joined to the account there, and signs in with its password",
    Move.CONFLICT: "stays: the address has another account there",
    Move.REFUSED: "stays: the project does not take this address",
}
_NEEDS_CARE = (Move.CONFLICT, Move.REFUSED)


@click.command("move-to-supabase")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@with_appcontext
def move_to_supabase(*, dry_run: bool, as_json: bool) -> None:
    """Take local accounts over into the Supabase project; exit 1 if one needs care.

    Ids, wallets, keys, history and passwords stay. It may be stopped and run again at any time.
    """
    mover = services().people.mover
    if mover is None:
        raise click.ClickException("SUPABASE_URL is not set: there is nowhere to move to.")
    total, done = mover.count(), []
    try:
        for moved in mover.run(dry_run=dry_run):
            done.append(moved)
            if not as_json:
                click.echo(f"{len(done):>6} of {total}  {_line(moved, dry_run=dry_run)}")
    except IdentityUnavailableError:
        raise click.ClickException(
            f"Supabase gives no usable answer, after {counted(len(done), 'accounts')}. "
            "Nothing is lost: run this again to go on."
        ) from None
    click.echo(_document(done, dry_run=dry_run) if as_json else _summary(done))
    if any(moved.result in _NEEDS_CARE for moved in done):
        raise click.exceptions.Exit(1)


def _line(moved: Moved, *, dry_run: bool) -> str:
    said = _SAID[moved.result]
    if moved.result is Move.MOVED and dry_run:
        said = "would move"
    if moved.result is Move.JOINED and dry_run:
        said = "would be joined to the account there"
    if moved.loses_second_factor:
        said += "; sets the authenticator app up again"
    return f"{moved.person.email} {said}"


def _summary(done: Iterable[Moved]) -> str:
    counts = Counter(moved.result for moved in done)
    return ", ".join(f"{result.value}: {counts[result]}" for result in Move)


def _document(done: list[Moved], *, dry_run: bool) -> str:
    counts = Counter(moved.result for moved in done)
    document = {
        "dry_run": dry_run,
        **{result.value: counts[result] for result in Move},
        "second_factors_lost": sum(moved.loses_second_factor for moved in done),
        "needs_care": [
            {"email": moved.person.email, "id": moved.person.id, "why": moved.result.value}
            for moved in done
            if moved.result in _NEEDS_CARE
        ],
    }
    return json.dumps(document, indent=2)
