"""In-memory mirrors of keys, and a model server that keeps the copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.keys import ApiKey
from creditcore.domain.lease import Lease
from creditcore.domain.ledger import Transfer, TransferKind
from creditcore.domain.mirrors import KeyMirror, SyncStatus
from creditcore.ports.upstream_keys import UpstreamKey

_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_OF_CALLS = (TransferKind.CHARGE, TransferKind.WRITE_OFF)


def renewed(mirror: KeyMirror | None, key_id: str, *, at: datetime = _AT_ONCE) -> KeyMirror:
    """Return the mirror of a key that is new or was changed."""
    if mirror is None:
        return KeyMirror(key_id=key_id, revision=1, lease=Lease(due_at=at))
    return replace(
        mirror,
        revision=mirror.revision + 1,
        status=SyncStatus.PENDING,
        lease=Lease(due_at=at),
    )


@dataclass
class MemoryKeyMirrors:
    """Mirrors in a dictionary, by key."""

    table: dict[str, KeyMirror]
    keys: Mapping[str, ApiKey]
    transfers: Mapping[str, Transfer]

    def lock_due(self, *, now: datetime) -> tuple[KeyMirror, ApiKey] | None:
        due = [
            (mirror.lease.due_at, mirror.key_id)
            for mirror in self.table.values()
            if mirror.lease.due_at is not None and mirror.lease.due_at <= now
        ]
        if not due:
            return None
        _, key_id = min(due)
        return self.table[key_id], self.keys[key_id]

    def save(self, mirror: KeyMirror) -> bool:
        if self.table[mirror.key_id].revision != mirror.revision:
            return False
        self.table[mirror.key_id] = mirror
        return True

    def find(self, key_ids: Collection[str]) -> Mapping[str, KeyMirror]:
        return {key_id: self.table[key_id] for key_id in key_ids if key_id in self.table}

    def renew(self, key_ids: Collection[str], *, at: datetime) -> int:
        known = [key_id for key_id in key_ids if key_id in self.table]
        for key_id in known:
            self.table[key_id] = renewed(self.table[key_id], key_id, at=at)
        return len(known)

    def renew_funded(self, *, since: datetime, at: datetime) -> int:
        funded = {
            transfer.wallet_id
            for transfer in self.transfers.values()
            if transfer.at > since and transfer.kind not in _OF_CALLS
        }
        keys = [
            key.id
            for key in self.keys.values()
            if key.wallet_id in funded and key.revoked_at is None
        ]
        return self.renew(keys, at=at)

    def renew_stale(self, *, synced_before: datetime, at: datetime, limit: int) -> int:
        stale = [
            mirror.key_id
            for mirror in self.table.values()
            if mirror.status is SyncStatus.SYNCED
            and mirror.last_synced_at is not None
            and mirror.last_synced_at < synced_before
        ]
        return self.renew(stale[:limit], at=at)

    def after(self, key_id: str, *, limit: int) -> list[KeyMirror]:
        return [self.table[name] for name in sorted(self.table) if name > key_id][:limit]

    def behind_since(self) -> datetime | None:
        """Return since when the mirror waits that has waited longest."""
        due = [
            self.keys[mirror.key_id].created_at
            if mirror.lease.due_at == _AT_ONCE
            else mirror.lease.due_at
            for mirror in self.table.values()
            if mirror.lease.due_at is not None
        ]
        return min(due, default=None)

    def counts(self) -> Mapping[SyncStatus, int]:
        return Counter(mirror.status for mirror in self.table.values())


@dataclass
class MemoryUpstreamKeys:
    """A model server's copies of keys, in a dictionary.

    Attributes:
        copies: What it has, by key.
        keeps: Whether it has a database; None where it does not answer.
        fails: Whether nothing can be changed.
    """

    copies: dict[str, UpstreamKey] = field(default_factory=dict)
    keeps: bool | None = True
    fails: bool = False

    def can_keep(self) -> bool:
        if self.keeps is None:
            raise UpstreamUnavailableError("The model server cannot be reached.")
        return self.keeps

    def put(self, key: UpstreamKey) -> str:
        if self.fails:
            raise UpstreamUnavailableError("The model server answered 500 about a key.")
        self.copies[key.key_id] = key
        return f"hash-of-{key.key_id}"

    def remove(self, key_id: str) -> None:
        if self.fails:
            raise UpstreamUnavailableError("The model server answered 500 about a key.")
        self.copies.pop(key_id, None)

    def secret(self, key_id: str) -> str:
        return f"sk-secret-of-{key_id}"
