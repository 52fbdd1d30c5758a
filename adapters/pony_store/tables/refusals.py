"""``refused_calls``: calls that were refused before they began; the latest of each wallet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.refusals import RefusedCall
from creditcore.domain.usage_hours import HOUR
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place

from ..instants import instant, micros
from ..session import Session

_COLUMNS = (
    *("id", "wallet_id", "key_id", "model", "endpoint"),
    *("status", "code", "message", "created_at"),
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM refused_calls"


class PonyRefusedCalls:
    """The refused calls of each wallet."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, call: RefusedCall) -> None:
        self._session.change(
            f"INSERT INTO refused_calls ({', '.join(_COLUMNS)})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                call.reference,
                call.wallet_id,
                call.key_id,
                call.model,
                call.endpoint,
                call.status,
                call.code,
                call.message,
                micros(call.at),
            ),
        )

    def keep_latest(self, wallet_id: str, hour: datetime, *, most: int) -> None:
        of_hour = (wallet_id, micros(hour), micros(hour + HOUR))
        among = "wallet_id = ? AND created_at >= ? AND created_at < ?"
        self._session.change(
            f"DELETE FROM refused_calls WHERE {among} AND (created_at, id) <="
            f" (SELECT created_at, id FROM refused_calls WHERE {among}"
            " ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?)",
            (*of_hour, *of_hour, most),
        )

    def older(
        self,
        wallet_id: str,
        *,
        than: Place | None = None,
        limit: int,
        which: CallFilter = ALL_CALLS,
    ) -> Sequence[RefusedCall]:
        asked = {
            "wallet_id = ?": wallet_id,
            "key_id = ?": which.key_id,
            "model = ?": which.model,
            "endpoint = ?": which.endpoint,
            "created_at >= ?": which.since and micros(which.since),
            "created_at < ?": which.until and micros(which.until),
        }
        asked = {condition: value for condition, value in asked.items() if value is not None}
        conditions, values = list(asked), list(asked.values())
        if than is not None:
            conditions.append("(created_at, id) < (?, ?)")
            values += [micros(than.created_at), than.reference]
        rows = self._session.rows(
            f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT ?",
            (*values, limit),
        )
        return [_call_from(row) for row in rows]

    def find(self, reference: str, *, wallet_id: str) -> RefusedCall | None:
        rows = self._session.rows(
            f"{_SELECT} WHERE id = ? AND wallet_id = ?", (reference, wallet_id)
        )
        return _call_from(rows[0]) if rows else None

    def forget(self, *, before: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM refused_calls WHERE id IN (SELECT id FROM refused_calls"
            " WHERE created_at < ? ORDER BY created_at LIMIT ?)",
            (micros(before), limit),
        )


def _call_from(row: Any) -> RefusedCall:
    return RefusedCall(
        reference=row.id,
        wallet_id=row.wallet_id,
        key_id=row.key_id,
        model=row.model,
        endpoint=row.endpoint,
        status=row.status,
        code=row.code,
        message=row.message,
        at=instant(row.created_at),
    )
