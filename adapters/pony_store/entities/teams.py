"""Teams, their members and invitations."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Team(entity):
        _table_ = "teams"
        id = PrimaryKey(str, autostrip=False)
        name = Required(str, autostrip=False)
        created_at = Required(int, size=64)
        deleted_at = Optional(int, size=64)
        blocked = Required(bool)
        search_name = Optional(str, autostrip=False)
        company = Optional(str, autostrip=False)
        address = Optional(str, autostrip=False)
        tax_number = Optional(str, autostrip=False)

    class TeamMember(entity):
        _table_ = "team_members"
        team_id = Required(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        PrimaryKey(team_id, person_id)
        role = Required(str)
        joined_at = Required(int, size=64)

    class Invitation(entity):
        _table_ = "invitations"
        id = PrimaryKey(str, autostrip=False)
        team_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        role = Required(str)
        invited_by = Required(str, autostrip=False)
        sent_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        state = Required(str)
        closed_at = Optional(int, size=64)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str, autostrip=False)
