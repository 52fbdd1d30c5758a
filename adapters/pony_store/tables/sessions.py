"""Sessions of this site in ``sessions``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.sessions import Device, Session, Stage

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session as Statements

SESSION_COLUMNS = (
    "id",
    "secret_hash",
    "person_id",
    "epoch",
    "device",
    "place",
    "created_at",
    "stage",
    "last_seen_at",
    "proved_at",
    "provider_session_id",
    "subject",
    "sealed_grant",
    "good_until",
    "refreshing_until",
    "ended_at",
)
_COLUMNS = ", ".join(SESSION_COLUMNS)
_CHANGING = SESSION_COLUMNS[SESSION_COLUMNS.index("stage") :]
_LISTED = 100


def session_values(session: Session) -> tuple[object, ...]:
    """Return a row of ``sessions``."""
    return (
        session.id,
        session.secret_hash,
        session.person_id,
        session.epoch,
        session.device.name,
        session.device.place,
        micros(session.created_at),
        str(session.stage),
        micros(session.last_seen_at),
        micros(session.proved_at),
        session.provider_session_id,
        session.subject,
        session.sealed_grant,
        micros_or_none(session.good_until),
        micros_or_none(session.refreshing_until),
        micros_or_none(session.ended_at),
    )


def session_from_row(row: Any) -> Session:
    """Return the session of a row."""
    return Session(
        id=row.id,
        # PostgreSQL's driver returns a memoryview.
        secret_hash=bytes(row.secret_hash),
        person_id=row.person_id,
        epoch=row.epoch,
        stage=Stage(row.stage),
        device=Device(name=row.device, place=row.place),
        created_at=instant(row.created_at),
        last_seen_at=instant(row.last_seen_at),
        proved_at=instant(row.proved_at),
        provider_session_id=row.provider_session_id,
        subject=row.subject,
        sealed_grant=bytes(row.sealed_grant),
        good_until=instant_or_none(row.good_until),
        refreshing_until=instant_or_none(row.refreshing_until),
        ended_at=instant_or_none(row.ended_at),
    )


class PonySessions:
    """Who is signed in, in which browser."""

    def __init__(self, session: Statements) -> None:
        self._statements = session

    def add(self, session: Session) -> None:
        self._statements.insert("sessions", SESSION_COLUMNS, [session_values(session)])

    def find(self, secret_hash: bytes) -> Session | None:
        return self._one("secret_hash = ?", (secret_hash,))

    def lock(self, session_id: str, *, person_id: str) -> Session | None:
        return self._one(
            f"id = ? AND person_id = ?{self._statements.engine.row_lock}", (session_id, person_id)
        )

    def save(self, session: Session) -> None:
        changes = ", ".join(f"{column} = ?" for column in _CHANGING)
        values = session_values(session)[-len(_CHANGING) :]
        self._statements.change(
            f"UPDATE sessions SET {changes} WHERE id = ?", (*values, session.id)
        )

    def touch(self, session_id: str, *, at: datetime) -> None:
        self._statements.change(
            "UPDATE sessions SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?",
            (micros(at), session_id, micros(at)),
        )

    def open_of(self, person_id: str) -> Sequence[Session]:
        rows = self._statements.rows(
            f"SELECT {_COLUMNS} FROM sessions WHERE person_id = ? AND ended_at IS NULL"
            f" ORDER BY last_seen_at DESC, id DESC LIMIT {_LISTED}",
            (person_id,),
        )
        return [session_from_row(row) for row in rows]

    def end_all(self, person_id: str, *, at: datetime, but: str = "") -> int:
        return self._statements.change(
            "UPDATE sessions SET ended_at = ?, sealed_grant = ?, good_until = NULL"
            " WHERE person_id = ? AND ended_at IS NULL AND id <> ?",
            (micros(at), b"", person_id, but),
        )

    def forget(self, *, unused_since: datetime, limit: int) -> int:
        return self._statements.change(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE last_seen_at < ?"
            " ORDER BY last_seen_at LIMIT ?)",
            (micros(unused_since), limit),
        )

    def _one(self, condition: str, values: tuple[object, ...]) -> Session | None:
        rows = self._statements.rows(f"SELECT {_COLUMNS} FROM sessions WHERE {condition}", values)
        return session_from_row(rows[0]) if rows else None
