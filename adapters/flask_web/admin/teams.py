"""Teams: the latest made first, and a page for each with its wallet, members and keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import request

from adapters.flask_web.admin.belongings import belongings_of
from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.context import services
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import for_operators
from creditcore.domain.errors import TeamNotFoundError
from creditcore.domain.limits import KeyCounter, member_counter_id
from creditcore.domain.teams import Membership, Team
from creditcore.domain.usage_hours import NOTHING_USED, hour_of
from creditcore.ports.transactions import Transaction

_USED_IN = timedelta(days=30)


@blueprint.get("/teams")
@for_operators
def teams() -> str:
    """List teams with their balance, members and what they used in 30 days."""
    before = place_sent(request.args, "before")
    since = hour_of(services().clock.now()) - _USED_IN
    with services().transactions.begin() as tx:
        found = tx.oversight.teams(limit=ON_A_PAGE + 1, before=before)
        shown = found[:ON_A_PAGE]
        used = tx.oversight.used_by([row.wallet.id for row in shown], since=since)
    last = shown[-1].team if len(found) > ON_A_PAGE else None
    return page(
        "teams.html",
        "team",
        teams=shown,
        used=used,
        nothing=NOTHING_USED,
        is_first=before is None,
        older=place_text(last.created_at, last.id) if last else None,
    )


@blueprint.get("/teams/<team_id>")
@for_operators
def team(team_id: str) -> str:
    """Show one team: balance, members, keys, payments, movements, calls and what was done."""
    with services().transactions.begin() as tx:
        found = find_team(tx, team_id)
        belongings = belongings_of(tx, found.id)
        members = tx.teams.members(found.id)
        counters = _counters(tx, found, members)
        named = {row.person_id for row in members} | {key.holder_id for key in belongings.keys}
        named |= {act.actor.id for act in belongings.acts}
        people = {person.id: person.email for name in named if (person := tx.people.find(name))}
        invitations = tx.invitations.pending_of(found.id)
    return page(
        "team.html",
        "team",
        someone=found,
        members=members,
        counters=counters,
        invitations=invitations,
        people=people,
        now=services().clock.now(),
        **belongings.shown,
    )


def _counters(tx: Transaction, team: Team, members: Sequence[Membership]) -> dict[str, KeyCounter]:
    """Return what each member has used in this period, by who it is."""
    now = services().clock.now()
    wallet = tx.ledger.find_wallet_of(team.id)
    names = {row.person_id: member_counter_id(wallet.id, row.person_id) for row in members}
    kept = tx.keys.counters(names.values())
    return {
        person_id: kept[name].at(kept[name].calendar, now)
        for person_id, name in names.items()
        if name in kept
    }


def find_team(tx: Transaction, team_id: str) -> Team:
    """Return a team, deleted or not.

    Raises:
        TeamNotFoundError: There is none with this id.
    """
    if "\x00" in team_id:
        raise TeamNotFoundError(team_id)
    return tx.teams.find(team_id)
