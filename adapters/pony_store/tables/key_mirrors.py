"""How far the model server's copies of our keys are, in ``key_mirrors``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from creditcore.domain.keys import ApiKey
from creditcore.domain.lease import Lease
from creditcore.domain.mirrors import KeyMirror, SyncStatus

from ..instants import instant_or_none, micros, micros_or_none
from ..session import VALUES_PER_STATEMENT, Session, chunks, marks
from .keys import KEY_COLUMNS, key_from_row

MIRROR_COLUMNS = (
    "key_id",
    "revision",
    "sync_status",
    "litellm_key_id",
    "last_synced_at",
    "last_error",
    "attempts",
    "due_at",
)

_LOOKED_AT = 1_000

_SELECT = f"SELECT {', '.join(MIRROR_COLUMNS)} FROM key_mirrors"
_RENEW = "revision = revision + 1, sync_status = 'pending', attempts = 0, due_at = ?"


class PonyKeyMirrors:
    """One mirror for each key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock_due(self, *, now: datetime) -> tuple[KeyMirror, ApiKey] | None:
        row_lock = self._session.engine.row_lock
        rows = self._session.rows(
            f"{_SELECT} WHERE due_at <= ? ORDER BY due_at, key_id LIMIT 1"
            f"{row_lock and row_lock + ' SKIP LOCKED'}",
            (micros(now),),
        )
        if not rows:
            return None
        mirror = mirror_from_row(rows[0])
        [key] = self._session.rows(
            f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys WHERE id = ?", (mirror.key_id,)
        )
        return mirror, key_from_row(key)

    def save(self, mirror: KeyMirror) -> bool:
        changed = self._session.change(
            "UPDATE key_mirrors SET sync_status = ?, litellm_key_id = ?, last_synced_at = ?,"
            " last_error = ?, attempts = ?, due_at = ? WHERE key_id = ? AND revision = ?",
            (
                mirror.status.value,
                mirror.litellm_key_id,
                micros_or_none(mirror.last_synced_at),
                mirror.last_error,
                mirror.lease.attempts,
                micros_or_none(mirror.lease.due_at),
                mirror.key_id,
                mirror.revision,
            ),
        )
        return changed == 1

    def find(self, key_ids: Collection[str]) -> Mapping[str, KeyMirror]:
        rows = self._session.rows_in(f"{_SELECT} WHERE key_id IN ({{names}})", sorted(key_ids))
        return {row.key_id: mirror_from_row(row) for row in rows}

    def renew(self, key_ids: Collection[str], *, at: datetime) -> int:
        return sum(
            self._session.change(
                f"UPDATE key_mirrors SET {_RENEW} WHERE key_id IN ({marks(len(names))})",
                (micros(at), *names),
            )
            for names in chunks(sorted(key_ids), VALUES_PER_STATEMENT - 1)
        )

    def renew_funded(self, *, since: datetime, at: datetime) -> int:
        return self._session.change(
            f"UPDATE key_mirrors SET {_RENEW} WHERE key_id IN (SELECT id FROM virtual_keys"
            " WHERE revoked_at IS NULL AND wallet_id IN (SELECT wallet_id FROM transfers"
            " WHERE at > ? AND kind NOT IN ('charge', 'write_off')))",
            (micros(at), micros(since)),
        )

    def renew_stale(self, *, synced_before: datetime, at: datetime, limit: int) -> int:
        return self._session.change(
            f"UPDATE key_mirrors SET {_RENEW} WHERE key_id IN (SELECT key_id FROM key_mirrors"
            " WHERE sync_status = 'synced' AND last_synced_at < ?"
            " ORDER BY last_synced_at LIMIT ?)",
            (micros(at), micros(synced_before), limit),
        )

    def after(self, key_id: str, *, limit: int) -> list[KeyMirror]:
        rows = self._session.rows(
            f"{_SELECT} WHERE key_id > ? ORDER BY key_id LIMIT ?", (key_id, limit)
        )
        return [mirror_from_row(row) for row in rows]

    def behind_since(self) -> datetime | None:
        """Return since when the mirror waits that has waited longest."""
        [row] = self._session.rows(
            "SELECT MIN(CASE WHEN m.due_at > 0 THEN m.due_at ELSE k.created_at END) AS since"
            " FROM (SELECT key_id, due_at FROM key_mirrors WHERE due_at IS NOT NULL"
            f" ORDER BY due_at, key_id LIMIT {_LOOKED_AT}) m JOIN virtual_keys k ON k.id = m.key_id"
        )
        return instant_or_none(row.since)

    def counts(self) -> Mapping[SyncStatus, int]:
        rows = self._session.rows(
            "SELECT sync_status, count(*) AS mirrors FROM key_mirrors GROUP BY sync_status"
        )
        return {SyncStatus(row.sync_status): row.mirrors for row in rows}


def mirror_from_row(row: Any) -> KeyMirror:
    """Return the mirror of a row."""
    return KeyMirror(
        key_id=row.key_id,
        revision=row.revision,
        status=SyncStatus(row.sync_status),
        litellm_key_id=row.litellm_key_id,
        last_synced_at=instant_or_none(row.last_synced_at),
        last_error=row.last_error,
        lease=Lease(attempts=row.attempts, due_at=instant_or_none(row.due_at)),
    )
