"""Invitations to teams in ``invitations``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditcore.domain.limits import Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.teams import Invitation, InvitationState, TeamRole

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session

_COLUMNS = (
    "id",
    "team_id",
    "email",
    "role",
    "invited_by",
    "sent_at",
    "expires_at",
    "state",
    "closed_at",
    "spend_limit",
    "spend_period",
    "spend_zone",
)
_CHANGING = tuple(name for name in _COLUMNS if name not in {"id", "team_id", "email"})
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM invitations"


class PonyInvitations:
    """Invitations; a partial index keeps a team from inviting one address twice."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, invitation: Invitation) -> None:
        self._session.insert("invitations", _COLUMNS, [tuple(_values(invitation).values())])

    def find(self, invitation_id: str) -> Invitation | None:
        return self._one(invitation_id)

    def lock(self, invitation_id: str) -> Invitation | None:
        return self._one(invitation_id, lock=self._session.engine.row_lock)

    def save(self, invitation: Invitation) -> None:
        values = _values(invitation)
        changes = ", ".join(f"{name} = ?" for name in _CHANGING)
        self._session.change(
            f"UPDATE invitations SET {changes} WHERE id = ?",
            (*(values[name] for name in _CHANGING), invitation.id),
        )

    def pending_of(self, team_id: str) -> Sequence[Invitation]:
        rows = self._session.rows(
            f"{_SELECT} WHERE team_id = ? AND state = 'pending' ORDER BY sent_at DESC, id DESC",
            (team_id,),
        )
        return [_from_row(row) for row in rows]

    def _one(self, invitation_id: str, lock: str = "") -> Invitation | None:
        rows = self._session.rows(f"{_SELECT} WHERE id = ?{lock}", (invitation_id,))
        return _from_row(rows[0]) if rows else None


def _values(invitation: Invitation) -> dict[str, object]:
    limit = invitation.limit
    return {
        "id": invitation.id,
        "team_id": invitation.team_id,
        "email": invitation.email,
        "role": str(invitation.role),
        "invited_by": invitation.invited_by,
        "sent_at": micros(invitation.sent_at),
        "expires_at": micros(invitation.expires_at),
        "state": str(invitation.state),
        "closed_at": micros_or_none(invitation.closed_at),
        "spend_limit": limit.credits.microcredits if limit else None,
        "spend_period": str(limit.period) if limit else "",
        "spend_zone": limit.zone if limit else "",
    }


def _from_row(row: Any) -> Invitation:
    limit = None
    if row.spend_limit is not None:
        limit = SpendLimit(
            credits=Credits(row.spend_limit), period=Period(row.spend_period), zone=row.spend_zone
        )
    return Invitation(
        id=row.id,
        team_id=row.team_id,
        email=row.email,
        role=TeamRole(row.role),
        invited_by=row.invited_by,
        sent_at=instant(row.sent_at),
        expires_at=instant(row.expires_at),
        state=InvitationState(row.state),
        closed_at=instant_or_none(row.closed_at),
        limit=limit,
    )
