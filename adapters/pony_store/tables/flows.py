"""Who is away at Google or GitHub, in ``sign_in_flows``."""

from __future__ import annotations

from datetime import datetime

from ..instants import micros
from ..session import Session


class PonyFlows:
    """What waits for them here, sealed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, name: bytes, sealed: bytes, *, expires_at: datetime) -> None:
        row = (name, sealed, micros(expires_at))
        self._session.insert("sign_in_flows", ("name", "sealed", "expires_at"), [row])

    def take(self, name: bytes, *, now: datetime) -> bytes | None:
        rows = self._session.rows(
            "DELETE FROM sign_in_flows WHERE name = ? AND expires_at > ? RETURNING sealed",
            (name, micros(now)),
        )
        # PostgreSQL's driver returns a memoryview.
        return bytes(rows[0].sealed) if rows else None

    def forget(self, *, expired_before: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM sign_in_flows WHERE name IN (SELECT name FROM sign_in_flows"
            " WHERE expires_at <= ? LIMIT ?)",
            (micros(expired_before), limit),
        )
