"""Members of the team that a key or a session is in: invited, limited, given a role, removed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Blueprint

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.keys import spend_limit
from adapters.flask_web.api.operations import MANAGER, operation
from adapters.flask_web.api.shapes import SpendLimitShape
from adapters.flask_web.api.team import member_shape, person_of, place_of, team_shape
from adapters.flask_web.api.team_shapes import (
    AcceptRequest,
    Gone,
    InvitationList,
    InvitationRequest,
    InvitationShape,
    MemberLimitRequest,
    MemberShape,
    NewInvitationShape,
    RaiseRequest,
    RoleRequest,
    TeamShape,
)
from adapters.flask_web.context import services
from adapters.flask_web.web.throttle import INVITE_PER_PERSON, throttle
from creditcore.domain.access import Action, require
from creditcore.domain.errors import MemberNotFoundError
from creditcore.domain.money import Credits
from creditcore.domain.teams import Invitation, Membership
from creditcore.usecases.teams.invite_members import Invited

blueprint = Blueprint("api_members", __name__)

_INVITATIONS = "/api/v1/team/invitations"
_MEMBER = "/api/v1/team/members/{member_id}"


@operation(blueprint, "GET", _INVITATIONS, scopes=MANAGER, answer=InvitationList)
def list_invitations(caller: Caller) -> InvitationList:
    """List invitations that wait for an answer. This takes an admin."""
    mine = _manager(caller)
    found = services().teams.views.show(mine.team_id, to=mine.person_id).invitations
    return InvitationList(data=[_invitation(row) for row in found])


@operation(
    blueprint,
    "POST",
    _INVITATIONS,
    scopes=MANAGER,
    body=InvitationRequest,
    answer=NewInvitationShape,
    status=201,
)
def invite_member(caller: Caller, body: InvitationRequest) -> NewInvitationShape:
    """Invite an address; a repeat sends another link with these terms. This takes an admin."""
    mine = _manager(caller)
    throttle().count(INVITE_PER_PERSON, "invite", mine.person_id)
    return _sent(
        services().teams.invitations.invite(
            mine.team_id,
            body.email,
            body.role,
            limit=spend_limit(body.limit),
            by=mine.person_id,
            actor=caller.actor,
        )
    )


@operation(
    blueprint,
    "POST",
    f"{_INVITATIONS}/{{invitation_id}}/resend",
    scopes=MANAGER,
    answer=NewInvitationShape,
)
def resend_invitation(caller: Caller, invitation_id: str) -> NewInvitationShape:
    """Send an invitation again; the link before opens nothing any more. This takes an admin."""
    mine = _manager(caller)
    throttle().count(INVITE_PER_PERSON, "invite", mine.person_id)
    return _sent(
        services().teams.invitations.resend(
            mine.team_id, invitation_id, by=mine.person_id, actor=caller.actor
        )
    )


@operation(
    blueprint,
    "DELETE",
    f"{_INVITATIONS}/{{invitation_id}}",
    scopes=MANAGER,
    answer=InvitationList,
)
def withdraw_invitation(caller: Caller, invitation_id: str) -> InvitationList:
    """Withdraw an invitation; answer those that are left. This takes an admin."""
    mine = _manager(caller)
    services().teams.invitations.revoke(
        mine.team_id, invitation_id, by=mine.person_id, actor=caller.actor
    )
    found = services().teams.views.show(mine.team_id, to=mine.person_id).invitations
    return InvitationList(data=[_invitation(row) for row in found])


@operation(
    blueprint,
    "POST",
    "/api/v1/invitations/accept",
    scopes=MANAGER,
    body=AcceptRequest,
    answer=TeamShape,
)
def accept_invitation(caller: Caller, body: AcceptRequest) -> TeamShape:
    """Join a team by the link that was sent to one's own address."""
    me = person_of(caller)
    joined = services().teams.invitations.accept(_token_of(body), me, actor=caller.actor)
    return team_shape(joined.team_id, to=me)


@operation(blueprint, "PATCH", _MEMBER, scopes=MANAGER, body=RoleRequest, answer=MemberShape)
def give_role(caller: Caller, member_id: str, body: RoleRequest) -> MemberShape:
    """Give a member another role. This takes an admin, and an owner to make or unmake owners."""
    mine = _manager(caller)
    services().teams.members.give_role(
        mine.team_id, member_id, body.role, by=mine.person_id, actor=caller.actor
    )
    return _member(mine, member_id)


@operation(
    blueprint,
    "PUT",
    f"{_MEMBER}/limit",
    scopes=MANAGER,
    body=MemberLimitRequest,
    answer=MemberShape,
)
def limit_member(caller: Caller, member_id: str, body: MemberLimitRequest) -> MemberShape:
    """Limit what a member spends; a new limit counts from now on. This takes an admin."""
    mine = _manager(caller)
    services().teams.members.limit(
        mine.team_id, member_id, spend_limit(body.limit), by=mine.person_id, actor=caller.actor
    )
    return _member(mine, member_id)


@operation(
    blueprint,
    "POST",
    f"{_MEMBER}/raise",
    scopes=MANAGER,
    body=RaiseRequest,
    answer=MemberShape,
)
def raise_limit(caller: Caller, member_id: str, body: RaiseRequest) -> MemberShape:
    """Let a member spend more until their period ends; each request adds. This takes an admin."""
    mine = _manager(caller)
    services().teams.members.raise_once(
        mine.team_id,
        member_id,
        Credits.parse(body.credits),
        by=mine.person_id,
        actor=caller.actor,
    )
    return _member(mine, member_id)


@operation(blueprint, "DELETE", _MEMBER, scopes=MANAGER, answer=Gone)
def remove_member(caller: Caller, member_id: str) -> Gone:
    """Take a member out, and revoke their keys there. This takes an admin."""
    mine = _manager(caller)
    revoked = services().teams.members.remove(
        mine.team_id, member_id, by=mine.person_id, actor=caller.actor
    )
    return Gone(keys_revoked=revoked)


def _manager(caller: Caller) -> Membership:
    """Return the caller's place in the team, if they may manage its members.

    The use cases ask again, in their transaction.
    """
    mine = place_of(caller)
    require(caller.viewer, Action.MANAGE_MEMBERS)
    return mine


def _token_of(body: AcceptRequest) -> str:
    try:
        in_link = parse_qs(urlsplit(body.token).query)
    except ValueError:
        # No address, so no link of ours: a token that opens nothing.
        return body.token
    return in_link.get("token", [body.token])[0]


def _member(mine: Membership, member_id: str) -> MemberShape:
    view = services().teams.views.show(mine.team_id, to=mine.person_id)
    for row in view.members:
        if row.person.id == member_id:
            return member_shape(row)
    raise MemberNotFoundError(member_id)


def _sent(invited: Invited) -> NewInvitationShape:
    shown = dict(_invitation(invited.invitation))
    return NewInvitationShape.model_validate(shown | {"url": invited.url})


def _invitation(row: Invitation) -> InvitationShape:
    limit = row.limit
    return InvitationShape(
        id=row.id,
        email=row.email,
        role=row.role,
        limit=None
        if limit is None
        else SpendLimitShape(credits=str(limit.credits), period=limit.period, zone=limit.zone),
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        works=row.works(now=services().clock.now()),
    )
