"""Acts in ``activity_logs``."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from creditcore.domain.activity import Activity, Actor

from ..instants import instant, micros
from ..session import Session, tuples

ACTIVITY_COLUMNS = (
    "actor_id",
    "address",
    "user_agent",
    "act",
    "target",
    "person_id",
    "before",
    "after",
    "at",
)
_COLUMNS = ", ".join(ACTIVITY_COLUMNS)


def activity_values(activity: Activity) -> tuple[object, ...]:
    """Return a row of ``activity_logs``, without the number that the database gives it."""
    return (
        activity.actor.id,
        activity.actor.address,
        activity.actor.user_agent,
        str(activity.act),
        activity.target,
        activity.person_id,
        json.dumps(activity.before),
        json.dumps(activity.after),
        micros(activity.at),
    )


def activity_from_row(row: Any) -> Activity:
    """Return the act of a row."""
    return Activity(
        number=row.number,
        actor=Actor(id=row.actor_id, address=row.address, user_agent=row.user_agent),
        act=row.act,
        target=row.target,
        person_id=row.person_id,
        before=json.loads(row.before),
        after=json.loads(row.after),
        at=instant(row.at),
    )


class PonyActivityLog:
    """Numbers are given by the database, in the order in which acts are written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, activity: Activity) -> None:
        values = activity_values(activity)
        self._session.change(
            f"INSERT INTO activity_logs ({_COLUMNS}) VALUES {tuples([values])}", values
        )

    def recent(
        self,
        *,
        limit: int,
        before: int | None = None,
        person_id: str | None = None,
        acts: Collection[str] = (),
    ) -> Sequence[Activity]:
        conditions: list[str] = []
        values: list[object] = []
        for condition, value in (("number < ?", before), ("person_id = ?", person_id)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if acts:
            conditions.append(f"act IN ({', '.join('?' * len(acts))})")
            values += sorted(map(str, acts))
        rows = self._session.rows(
            f"SELECT number, {_COLUMNS} FROM activity_logs"
            f" WHERE {' AND '.join(conditions) or '1 = 1'} ORDER BY number DESC LIMIT ?",
            (*values, limit),
        )
        return [activity_from_row(row) for row in rows]
