"""The team that a key or a session is in: shown, changed, handed over, left; another one made."""

from __future__ import annotations

from flask import Blueprint

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.keys import new_key_shape
from adapters.flask_web.api.operations import MANAGER, READER, operation
from adapters.flask_web.api.team_shapes import (
    DeleteQuery,
    Gone,
    MemberShape,
    NewTeamShape,
    TeamDeleted,
    TeamPatch,
    TeamRequest,
    TeamShape,
    TransferRequest,
)
from adapters.flask_web.context import services
from adapters.flask_web.web.stepping_up import check_key_maker, require_proof
from creditcore.domain.access import Action
from creditcore.domain.errors import NotPermittedError, TeamNotFoundError
from creditcore.domain.keys import Scope
from creditcore.domain.teams import Membership
from creditcore.usecases.teams.read_teams import MemberView

blueprint = Blueprint("api_team", __name__)

_FIRST_KEY = (Scope.ACCOUNT_READ, Scope.ACCOUNT_MANAGE)


class NoTeamHereError(TeamNotFoundError):
    """The account is a person's own."""

    def __init__(self) -> None:
        super().__init__("")
        self.args = ("This account is a person's own. Use a key that was made in a team.",)


def place_of(caller: Caller) -> Membership:
    """Return the caller's place in the team whose account it is.

    Raises:
        NoTeamHereError: It is a person's own account.
    """
    mine = caller.viewer.membership
    if mine is None:
        raise NoTeamHereError
    return mine


def person_of(caller: Caller) -> str:
    """Return the id of the person whose own account it is.

    Raises:
        NotPermittedError: It is a team's account: what is a person's own is not done by its keys.
    """
    if caller.viewer.membership is not None:
        raise NotPermittedError(
            "This takes a key of your own account, and this one is a team's.",
            code="not_your_role",
        )
    return caller.owner_id


@operation(blueprint, "GET", "/api/v1/team", scopes=READER, answer=TeamShape)
def read_team(caller: Caller) -> TeamShape:
    """Show the team whose wallet this is, with what each member may spend and has spent."""
    mine = place_of(caller)
    return team_shape(mine.team_id, to=mine.person_id)


@operation(
    blueprint,
    "POST",
    "/api/v1/teams",
    scopes=MANAGER,
    body=TeamRequest,
    answer=NewTeamShape,
    status=201,
)
def make_team(caller: Caller, body: TeamRequest) -> NewTeamShape:
    """Make a team, which begins with an empty balance, and a key that manages it."""
    me = person_of(caller)
    scopes = [scope for scope in _FIRST_KEY if caller.may(scope)]
    if caller.key is None:
        check_key_maker(scopes)
    team = services().teams.keep.create(me, body.name, actor=caller.actor)
    key, secret = services().keys.issuing.issue(
        team.id,
        holder_id=me,
        name="Made with the team",
        scopes=scopes,
        # No more, from nowhere else and for no longer than the key that asks.
        expires_at=caller.key.expires_at if caller.key else None,
        limits=caller.key.limits if caller.key else None,
        by=caller.key,
        actor=caller.actor,
    )
    return NewTeamShape(team=team_shape(team.id, to=me), key=new_key_shape(key, secret))


@operation(blueprint, "PATCH", "/api/v1/team", scopes=MANAGER, body=TeamPatch, answer=TeamShape)
def rename_team(caller: Caller, body: TeamPatch) -> TeamShape:
    """Rename the team. This takes an admin."""
    mine = place_of(caller)
    services().teams.keep.rename(mine.team_id, body.name, by=mine.person_id, actor=caller.actor)
    return team_shape(mine.team_id, to=mine.person_id)


@operation(
    blueprint,
    "POST",
    "/api/v1/team/transfer",
    scopes=MANAGER,
    body=TransferRequest,
    answer=TeamShape,
)
def transfer_team(caller: Caller, body: TransferRequest) -> TeamShape:
    """Make another member an owner, and who asks an admin. This takes an owner."""
    mine = place_of(caller)
    _prove(caller)
    services().teams.keep.transfer(
        mine.team_id, body.member_id, by=mine.person_id, actor=caller.actor
    )
    return team_shape(mine.team_id, to=mine.person_id)


# As on the page: who sees a team may leave it, a viewer too.
@operation(
    blueprint,
    "POST",
    "/api/v1/team/leave",
    scopes=MANAGER,
    answer=Gone,
    action=Action.SEE_WALLET,
)
def leave_team(caller: Caller) -> Gone:
    """Leave the team; one's keys there are revoked, the one that asks included."""
    mine = place_of(caller)
    revoked = services().teams.members.leave(mine.team_id, mine.person_id, actor=caller.actor)
    return Gone(keys_revoked=revoked)


@operation(
    blueprint, "DELETE", "/api/v1/team", scopes=MANAGER, query=DeleteQuery, answer=TeamDeleted
)
def delete_team(caller: Caller, query: DeleteQuery) -> TeamDeleted:
    """Delete the team with all its keys. This takes an owner, and the team's name."""
    mine = place_of(caller)
    _prove(caller)
    services().teams.keep.delete(mine.team_id, query.confirm, by=mine.person_id, actor=caller.actor)
    return TeamDeleted(id=mine.team_id, deleted=True)


def member_shape(row: MemberView) -> MemberShape:
    """Return a member as programs see them."""
    spending = row.spending
    counter = spending.counter if spending else None
    limit = counter.limit if counter else None
    return MemberShape(
        id=row.person.id,
        name=row.person.name,
        email=row.person.email,
        role=row.membership.role,
        joined_at=row.membership.joined_at,
        limit=None if limit is None else str(limit),
        raised=str(counter.raised) if counter else None,
        spent=str(counter.spent) if counter else None,
        held=str(counter.held) if counter else None,
        spent_since=counter.since if counter else None,
        resets_at=spending.resets_at if spending else None,
        keys=len(spending.open_keys) if spending else None,
        last_active_at=spending.last_active_at if spending else None,
    )


def _prove(caller: Caller) -> None:
    """Ask a session for a fresh proof, as the pages do; a key proves itself by each request."""
    if caller.key is None:
        require_proof("team.show")


def team_shape(team_id: str, *, to: str) -> TeamShape:
    """Return a team as programs of one of its members see it."""
    view = services().teams.views.show(team_id, to=to)
    return TeamShape(
        id=view.team.id,
        name=view.team.name,
        role=view.mine.role,
        available=str(view.wallet.available),
        members=[member_shape(row) for row in view.members],
    )
