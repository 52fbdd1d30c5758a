"""Teams in ``teams`` and ``team_members``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import TeamNotFoundError
from creditcore.domain.teams import Membership, Team, TeamRole

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session

_TEAM_COLUMNS = (
    "id",
    "created_at",
    "name",
    "deleted_at",
    "blocked",
    "search_name",
    "company",
    "address",
    "tax_number",
)
_FIXED = 2
"""So many columns, the first, never change."""
_MEMBER_COLUMNS = ("team_id", "person_id", "role", "joined_at")
_SELECT_TEAM = f"SELECT {', '.join(_TEAM_COLUMNS)} FROM teams"
_SELECT_MEMBERS = f"SELECT {', '.join(_MEMBER_COLUMNS)} FROM team_members"


class PonyTeams:
    """Teams and their members."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, team: Team) -> None:
        self._session.insert("teams", _TEAM_COLUMNS, [_team_row(team)])

    def find(self, team_id: str) -> Team:
        return self._team(team_id)

    def lock(self, team_id: str) -> Team:
        return self._team(team_id, lock=self._session.engine.row_lock)

    def save(self, team: Team) -> None:
        changes = ", ".join(f"{name} = ?" for name in _TEAM_COLUMNS[_FIXED:])
        self._session.change(
            f"UPDATE teams SET {changes} WHERE id = ?", (*_team_row(team)[_FIXED:], team.id)
        )

    def of_person(self, person_id: str) -> Sequence[tuple[Team, Membership]]:
        columns = ", ".join(f"t.{name}" for name in _TEAM_COLUMNS)
        rows = self._session.rows(
            f"SELECT {columns}, m.team_id, m.person_id, m.role, m.joined_at"
            " FROM team_members m JOIN teams t ON t.id = m.team_id"
            " WHERE m.person_id = ? ORDER BY t.name, t.id",
            (person_id,),
        )
        return [(team_from_row(row), _membership_from_row(row)) for row in rows]

    def membership(self, team_id: str, person_id: str) -> Membership | None:
        rows = self._session.rows(
            f"{_SELECT_MEMBERS} WHERE team_id = ? AND person_id = ?", (team_id, person_id)
        )
        return _membership_from_row(rows[0]) if rows else None

    def members(self, team_id: str) -> Sequence[Membership]:
        rows = self._session.rows(
            f"{_SELECT_MEMBERS} WHERE team_id = ? ORDER BY joined_at, person_id", (team_id,)
        )
        return [_membership_from_row(row) for row in rows]

    def put(self, membership: Membership) -> None:
        self._session.change(
            "INSERT INTO team_members (team_id, person_id, role, joined_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (team_id, person_id) DO UPDATE"
            " SET role = excluded.role, joined_at = excluded.joined_at",
            (
                membership.team_id,
                membership.person_id,
                str(membership.role),
                micros(membership.joined_at),
            ),
        )

    def remove(self, team_id: str, person_id: str) -> bool:
        return bool(
            self._session.change(
                "DELETE FROM team_members WHERE team_id = ? AND person_id = ?",
                (team_id, person_id),
            )
        )

    def _team(self, team_id: str, lock: str = "") -> Team:
        rows = self._session.rows(f"{_SELECT_TEAM} WHERE id = ?{lock}", (team_id,))
        if not rows:
            raise TeamNotFoundError(team_id)
        return team_from_row(rows[0])


def _team_row(team: Team) -> tuple[object, ...]:
    return (
        team.id,
        micros(team.created_at),
        team.name,
        micros_or_none(team.deleted_at),
        team.blocked,
        team.search_name,
        team.buyer.company,
        team.buyer.address,
        team.buyer.tax_number,
    )


def team_from_row(row: Any) -> Team:
    """Return a team as ``teams`` keeps it."""
    return Team(
        id=row.id,
        name=row.name,
        created_at=instant(row.created_at),
        deleted_at=instant_or_none(row.deleted_at),
        blocked=bool(row.blocked),
        buyer=BuyerDetails(company=row.company, address=row.address, tax_number=row.tax_number),
    )


def _membership_from_row(row: Any) -> Membership:
    return Membership(
        team_id=row.team_id,
        person_id=row.person_id,
        role=TeamRole(row.role),
        joined_at=instant(row.joined_at),
    )
