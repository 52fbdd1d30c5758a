"""Teams: several people who spend from one wallet, each as far as their role and limit allow.

A team is an account as a person is: it owns a wallet, purchases and keys by its id.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.limits import SpendLimit

MAX_MEMBERS = 200
"""People of one team, with those who are invited."""

MAX_TEAMS = 20
"""Teams that one person may be in, so that a switcher can list them."""

INVITATION_LIFETIME = timedelta(days=7)

_MAX_NAME_LENGTH = 60
_TOKEN = re.compile(r"([0-9A-Za-z-]{1,64})\.([A-Za-z0-9_-]{43})", re.ASCII)


class TeamRole(StrEnum):
    """What a member may do; each role may do what those before it may."""

    VIEWER = "viewer"
    """Sees balance, usage, calls and statements; spends nothing."""

    MEMBER = "member"
    """Also makes keys of their own, and spends with them."""

    ADMIN = "admin"
    """Also buys credits, says what receipts name, sees every key, and manages members."""

    OWNER = "owner"
    """Also makes and unmakes owners, and deletes the team."""

    @property
    def rank(self) -> int:
        """How much it may do, compared with the others."""
        return list(TeamRole).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """An account that several people share.

    Attributes:
        id: UUID text, unlike that of any person; owns the wallet.
        name: How its members call it.
        deleted_at: Since when it is closed for everyone; its books stay.
        blocked: Shut out by an operator: its members see it, and spend and change nothing.
        buyer: What its receipts name beside it; where that is empty, what its payer gave.
    """

    id: str
    name: str
    created_at: datetime
    deleted_at: datetime | None = None
    blocked: bool = False
    buyer: BuyerDetails = field(default_factory=BuyerDetails)

    @property
    def search_name(self) -> str:
        """Its name as operators find it, however they write capital letters."""
        return self.name.casefold()

    def delete(self, *, at: datetime) -> Self:
        """Return the team without members; a repeat keeps the first time."""
        return replace(self, deleted_at=self.deleted_at or at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person in a team.

    Attributes:
        joined_at: When they accepted, or made the team.
    """

    team_id: str
    person_id: str
    role: TeamRole
    joined_at: datetime


class InvitationState(StrEnum):
    """Where an invitation is in its life. It leaves ``PENDING`` exactly once."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An offer to one address to join a team.

    Attributes:
        id: Public; with a code that only this site can compute it makes the link's token.
        email: Whose account may accept it, in lower case.
        role: What they become; never an owner.
        limit: The spend limit that they begin with.
        invited_by: The id of the person who asked.
        sent_at: When its link was made: sending it again makes another and ends the one before.
        expires_at: From then on it opens nothing.
        closed_at: When it left ``PENDING``.
    """

    id: str
    team_id: str
    email: str
    role: TeamRole
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    limit: SpendLimit | None = None
    state: InvitationState = InvitationState.PENDING
    closed_at: datetime | None = None

    def works(self, *, now: datetime) -> bool:
        """Whether it can still be accepted."""
        return self.state is InvitationState.PENDING and now < self.expires_at

    def send(self, *, at: datetime) -> Self:
        """Return the invitation with a new link, which works for its whole lifetime again."""
        # Never the same instant twice: the link before has to end.
        sent_at = max(at, self.sent_at + timedelta(microseconds=1))
        return replace(self, sent_at=sent_at, expires_at=sent_at + INVITATION_LIFETIME)

    def close(self, state: InvitationState, *, at: datetime) -> Self:
        """Return the invitation as it leaves ``PENDING``."""
        return replace(self, state=state, closed_at=at)

    def token(self, pepper: bytes) -> str:
        """Return what stands in its link; it is kept nowhere.

        Args:
            pepper: The server's secret, without which it cannot be made.
        """
        sent_at = self.sent_at.astimezone(UTC).isoformat()
        text = f"invitation:{self.id}:{self.email}:{sent_at}"
        code = hmac.digest(pepper, text.encode(), "sha256")
        return f"{self.id}.{base64.urlsafe_b64encode(code).decode().rstrip('=')}"

    def opens(self, token: str, pepper: bytes) -> bool:
        """Whether a token is that of the latest link, compared in constant time."""
        return hmac.compare_digest(token.encode(), self.token(pepper).encode())


def invitation_id_of(token: str) -> str | None:
    """Return which invitation a token says it is for, if it has the shape of one."""
    shape = _TOKEN.fullmatch(token) if len(token) <= 128 else None
    return shape[1] if shape else None


def clean_team_name(text: str) -> str:
    """Return a team's name in the one form that is stored.

    Raises:
        InvalidRequestError: It is empty, too long, or has characters that cannot be printed.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= _MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequestError(
            f"A team's name has 1 to {_MAX_NAME_LENGTH} printable characters.", param="name"
        )
    return name
