"""What requests and answers about teams look like. Credits and instants are as in ``shapes``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from adapters.flask_web.api.operations import Query, Shape
from adapters.flask_web.api.shapes import Amount, CreditsText, NewKeyShape, SpendLimitShape
from creditcore.domain.teams import TeamRole

_Name = Annotated[str, Field(min_length=1, max_length=60, examples=["Kijani Labs"])]
_Email = Annotated[str, Field(max_length=254, examples=["baraka@example.com"])]


class MemberShape(Shape):
    """A member of a team, and how their spending stands.

    Who is no admin or owner sees their own spending alone: of others, all of it is null.
    """

    id: str
    name: str
    email: str
    role: TeamRole
    joined_at: AwareDatetime
    limit: Annotated[CreditsText | None, Field(description="Null where there is none.")]
    raised: Annotated[
        CreditsText | None, Field(description="Added to the limit for this period alone.")
    ]
    spent: CreditsText | None
    held: CreditsText | None
    spent_since: AwareDatetime | None
    resets_at: AwareDatetime | None
    keys: int | None
    last_active_at: AwareDatetime | None


class TeamShape(Shape):
    """A team, its balance and its members."""

    id: str
    name: str
    role: Annotated[TeamRole, Field(description="That of who asks.")]
    available: CreditsText
    members: list[MemberShape]


class TeamRequest(Shape):
    """A team to make."""

    name: _Name


class NewTeamShape(Shape):
    """A team that was just made, and a key of its owner in it."""

    team: TeamShape
    key: Annotated[NewKeyShape, Field(description="Manages the team; its secret is shown once.")]


class TeamPatch(Shape):
    """What of a team is to become otherwise."""

    name: _Name


class InvitationRequest(Shape):
    """Who is invited, as what, and what they may spend."""

    email: _Email
    role: TeamRole = TeamRole.MEMBER
    limit: Annotated[SpendLimitShape | None, Field(description="Counted from when they join.")] = (
        None
    )


class InvitationShape(Shape):
    """An invitation that waits for an answer."""

    id: str
    email: str
    role: TeamRole
    limit: SpendLimitShape | None
    sent_at: AwareDatetime
    expires_at: AwareDatetime
    works: Annotated[bool, Field(description="False once it has expired; send it again then.")]


class NewInvitationShape(InvitationShape):
    """An invitation that was just sent."""

    url: Annotated[str, Field(description="Its link, shown this once; for its address alone.")]


class InvitationList(Shape):
    """Invitations that wait for an answer, the latest first."""

    data: list[InvitationShape]


class AcceptRequest(Shape):
    """The link of an invitation, or the token in it."""

    token: Annotated[str, Field(max_length=500)]


class RoleRequest(Shape):
    """What a member is from now on."""

    role: TeamRole


class MemberLimitRequest(Shape):
    """What a member may spend from now on; `null` is as much as there is."""

    limit: SpendLimitShape | None


class RaiseRequest(Shape):
    """What a member may spend beyond their limit until its period ends."""

    credits: Amount


class TransferRequest(Shape):
    """Who becomes an owner; who asks becomes an admin."""

    member_id: Annotated[str, Field(max_length=100)]


class Gone(Shape):
    """What ended with it."""

    keys_revoked: int


class DeleteQuery(Query):
    """Which team is deleted."""

    confirm: Annotated[str, Field(description="The name of the team, so that no other is meant.")]


class TeamDeleted(Shape):
    """A team that is deleted."""

    id: str
    deleted: bool
