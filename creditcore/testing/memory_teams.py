"""Teams and invitations in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creditcore.domain.errors import ReferenceConflictError, TeamNotFoundError
from creditcore.domain.teams import Invitation, InvitationState, Membership, Team


@dataclass
class MemoryTeams:
    """Teams and their members."""

    teams: dict[str, Team]
    memberships: dict[tuple[str, str], Membership]

    def add(self, team: Team) -> None:
        if team.id in self.teams:
            raise ReferenceConflictError(team.id)
        self.teams[team.id] = team

    def find(self, team_id: str) -> Team:
        if team_id not in self.teams:
            raise TeamNotFoundError(team_id)
        return self.teams[team_id]

    def lock(self, team_id: str) -> Team:
        return self.find(team_id)

    def save(self, team: Team) -> None:
        self.teams[team.id] = team

    def of_person(self, person_id: str) -> Sequence[tuple[Team, Membership]]:
        found = [
            (self.teams[row.team_id], row)
            for row in self.memberships.values()
            if row.person_id == person_id
        ]
        return sorted(found, key=lambda pair: (pair[0].name, pair[0].id))

    def membership(self, team_id: str, person_id: str) -> Membership | None:
        return self.memberships.get((team_id, person_id))

    def members(self, team_id: str) -> Sequence[Membership]:
        found = [row for row in self.memberships.values() if row.team_id == team_id]
        return sorted(found, key=lambda row: (row.joined_at, row.person_id))

    def put(self, membership: Membership) -> None:
        self.memberships[membership.team_id, membership.person_id] = membership

    def remove(self, team_id: str, person_id: str) -> bool:
        return self.memberships.pop((team_id, person_id), None) is not None


@dataclass
class MemoryInvitations:
    """Invitations."""

    rows: dict[str, Invitation]

    def add(self, invitation: Invitation) -> None:
        for other in self.rows.values():
            same = (other.team_id, other.email) == (invitation.team_id, invitation.email)
            if other.id == invitation.id or (same and other.state is InvitationState.PENDING):
                raise ReferenceConflictError(invitation.id)
        self.rows[invitation.id] = invitation

    def find(self, invitation_id: str) -> Invitation | None:
        return self.rows.get(invitation_id)

    def lock(self, invitation_id: str) -> Invitation | None:
        return self.find(invitation_id)

    def save(self, invitation: Invitation) -> None:
        self.rows[invitation.id] = invitation

    def pending_of(self, team_id: str) -> Sequence[Invitation]:
        found = [
            row
            for row in self.rows.values()
            if row.team_id == team_id and row.state is InvitationState.PENDING
        ]
        return sorted(found, key=lambda row: (row.sent_at, row.id), reverse=True)
