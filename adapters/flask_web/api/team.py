"""The team that a key or a session is in, for programs."""

from __future__ import annotations

from flask import Blueprint

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.operations import READER, operation
from adapters.flask_web.api.shapes import MemberShape, TeamShape
from adapters.flask_web.context import services
from creditcore.domain.errors import TeamNotFoundError
from creditcore.usecases.teams.read_teams import MemberView

blueprint = Blueprint("api_team", __name__)


@operation(blueprint, "GET", "/api/v1/team", scopes=READER, answer=TeamShape)
def read_team(caller: Caller) -> TeamShape:
    """Show the team whose wallet this is, with what each member may spend and has spent."""
    mine = caller.viewer.membership
    if mine is None:
        raise TeamNotFoundError("of this account")
    view = services().teams.views.show(mine.team_id, to=mine.person_id)
    return TeamShape(
        id=view.team.id,
        name=view.team.name,
        role=view.mine.role,
        available=str(view.wallet.available),
        members=[_member(row) for row in view.members],
    )


def _member(row: MemberView) -> MemberShape:
    counter = row.counter
    return MemberShape(
        id=row.person.id,
        name=row.person.name,
        email=row.person.email,
        role=row.membership.role,
        joined_at=row.membership.joined_at,
        limit=None if counter.limit is None else str(counter.limit),
        raised=str(counter.raised),
        spent=str(counter.spent),
        held=str(counter.held),
        spent_since=counter.since,
        resets_at=row.resets_at,
        keys=len(row.open_keys),
        last_active_at=row.last_active_at,
    )
