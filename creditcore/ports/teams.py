"""Teams, who is in them, and who is invited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.teams import Invitation, Membership, Team


class Teams(Protocol):
    """Teams and their members.

    A change of members locks the team first, so that two who leave at once are seen one
    after the other.
    """

    def add(self, team: Team) -> None:
        """Add a team.

        Raises:
            ReferenceConflictError: Its id is taken.
        """

    def find(self, team_id: str) -> Team:
        """Return a team, deleted or not, without locking it.

        Raises:
            TeamNotFoundError: There is no such team.
        """

    def lock(self, team_id: str) -> Team:
        """Return a team, deleted or not, locked until the transaction ends.

        Raises:
            TeamNotFoundError: There is no such team.
        """

    def save(self, team: Team) -> None:
        """Write a changed team that ``lock`` returned."""

    def of_person(self, person_id: str) -> Sequence[tuple[Team, Membership]]:
        """Return the teams that a person is in, by name."""

    def membership(self, team_id: str, person_id: str) -> Membership | None:
        """Return a person's place in a team; None where they have none."""

    def members(self, team_id: str) -> Sequence[Membership]:
        """Return who is in a team, in the order in which they joined."""

    def put(self, membership: Membership) -> None:
        """Add a member, or give one another role."""

    def remove(self, team_id: str, person_id: str) -> bool:
        """Take a member out; return whether they were in."""


class Invitations(Protocol):
    """Invitations to teams. A team invites an address once at a time."""

    def add(self, invitation: Invitation) -> None:
        """Add an invitation.

        Raises:
            ReferenceConflictError: Its id is taken, or the team is inviting this address already.
        """

    def find(self, invitation_id: str) -> Invitation | None:
        """Return an invitation, without locking it."""

    def lock(self, invitation_id: str) -> Invitation | None:
        """Return an invitation, locked until the transaction ends."""

    def save(self, invitation: Invitation) -> None:
        """Write a changed invitation that ``lock`` returned."""

    def pending_of(self, team_id: str) -> Sequence[Invitation]:
        """Return a team's pending invitations, expired ones too, the latest first."""
