"""Calls that came with an ``Idempotency-Key``, in ``repeatable_calls``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from creditcore.ports.repeats import RepeatableCall

from ..instants import instant, micros
from ..session import Session, marks

REPEAT_COLUMNS = ("id", "call_id", "fingerprint", "created_at", "status", "answer")
_SELECT = f"SELECT {', '.join(REPEAT_COLUMNS)} FROM repeatable_calls"


class PonyRepeatableCalls:
    """Tokens of the last day."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, call: RepeatableCall, *, forget_before: datetime) -> RepeatableCall:
        self._session.change(
            "DELETE FROM repeatable_calls WHERE id = ? AND created_at < ?",
            (call.id, micros(forget_before)),
        )
        self._session.change(
            f"INSERT INTO repeatable_calls ({', '.join(REPEAT_COLUMNS)})"
            f" VALUES ({marks(len(REPEAT_COLUMNS))}) ON CONFLICT (id) DO NOTHING",
            (call.id, call.call_id, call.fingerprint, micros(call.created_at), None, None),
        )
        return self._standing(call.id)

    def reassign(self, call: RepeatableCall, *, call_id: str) -> RepeatableCall:
        self._session.change(
            "UPDATE repeatable_calls SET call_id = ? WHERE id = ? AND call_id = ?",
            (call_id, call.id, call.call_id),
        )
        return self._standing(call.id)

    def keep(self, call_id: str, *, status: int, answer: bytes) -> None:
        self._session.change(
            "UPDATE repeatable_calls SET status = ?, answer = ? WHERE call_id = ?",
            (status, answer, call_id),
        )

    def find_by_call(self, call_id: str) -> RepeatableCall | None:
        rows = self._session.rows(f"{_SELECT} WHERE call_id = ?", (call_id,))
        return _from_row(rows[0]) if rows else None

    def forget(self, *, before: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM repeatable_calls WHERE id IN (SELECT id FROM repeatable_calls"
            " WHERE created_at < ? ORDER BY created_at LIMIT ?)",
            (micros(before), limit),
        )

    def _standing(self, token_id: str) -> RepeatableCall:
        [row] = self._session.rows(f"{_SELECT} WHERE id = ?", (token_id,))
        return _from_row(row)


def _from_row(row: Any) -> RepeatableCall:
    return RepeatableCall(
        id=row.id,
        call_id=row.call_id,
        # psycopg2 returns a memoryview.
        fingerprint=bytes(row.fingerprint),
        created_at=instant(row.created_at),
        status=row.status,
        answer=None if row.answer is None else bytes(row.answer),
    )
