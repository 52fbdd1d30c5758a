"""API keys, and calls that may be repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from creditcore.domain.errors import ApiKeyNotFoundError, ReferenceConflictError
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter, KeyLimits
from creditcore.ports.repeats import RepeatableCall
from creditcore.testing.memory_mirrors import renewed
from creditcore.testing.memory_tables import MemoryTables, chosen, latest


@dataclass
class MemoryApiKeys:
    """API keys."""

    tables: MemoryTables

    def add(self, key: ApiKey) -> None:
        if key.id in self.tables.keys or self.find_by_hash(key.key_hash) is not None:
            raise ReferenceConflictError(key.id)
        self.tables.keys[key.id] = key
        self.tables.mirrors[key.id] = renewed(None, key.id)

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        found = [key for key in self.tables.keys.values() if key.owner_id == owner_id]
        return sorted(found, key=lambda key: key.created_at, reverse=True)

    def held_by(self, person_id: str) -> Sequence[ApiKey]:
        found = [key for key in self.tables.keys.values() if key.holder_id == person_id != ""]
        return sorted(found, key=lambda key: (key.created_at, key.id), reverse=True)

    def page_of(
        self,
        owner_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        holder_id: str = "",
    ) -> Sequence[ApiKey]:
        found = [
            key
            for key in self.tables.keys.values()
            if key.owner_id == owner_id and holder_id in {"", key.holder_id}
        ]
        return latest(found, lambda key: (key.created_at, key.id), limit, before)

    def find(self, key_id: str, *, owner_id: str) -> ApiKey:
        return self.lock(key_id, owner_id=owner_id)

    def of_wallet(self, wallet_id: str) -> Sequence[ApiKey]:
        found = [key for key in self.tables.keys.values() if key.wallet_id == wallet_id]
        return sorted((key for key in found if key.revoked_at is None), key=lambda key: key.id)

    def with_stops(self, *, after: str, limit: int) -> Sequence[ApiKey]:
        found = [
            key
            for key in self.tables.keys.values()
            if key.stop and key.id > after and key.paused_at is None and key.revoked_at is None
        ]
        return sorted(found, key=lambda key: key.id)[:limit]

    def account_limits(self, wallet_id: str) -> KeyLimits | None:
        return self.tables.account_limits.get(wallet_id)

    def wallets_without_limits(self, *, limit: int) -> Sequence[str]:
        return sorted(self.tables.wallets.keys() - self.tables.account_limits.keys())[:limit]

    def set_account_limits(self, wallet_id: str, limits: KeyLimits) -> None:
        self.tables.account_limits[wallet_id] = limits

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
        key = self.tables.keys.get(key_id)
        if key is None or key.owner_id != owner_id:
            raise ApiKeyNotFoundError(key_id)
        return key

    def save(self, key: ApiKey) -> None:
        self.tables.keys[key.id] = key
        self.tables.mirrors[key.id] = renewed(self.tables.mirrors[key.id], key.id)

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        for key in self.tables.keys.values():
            if key.key_hash == key_hash:
                return key
        return None

    def counters(self, counter_ids: Collection[str]) -> dict[str, KeyCounter]:
        """Return counters."""
        return chosen(self.tables.counters, counter_ids)

    def set_counter(self, counter: KeyCounter) -> None:
        self.tables.counters[counter.id] = counter


@dataclass
class MemoryRepeatableCalls:
    """Tokens of the last day."""

    tables: MemoryTables

    def claim(self, call: RepeatableCall, *, forget_before: datetime) -> RepeatableCall:
        earlier = self.tables.repeats.get(call.id)
        if earlier is None or earlier.created_at < forget_before:
            self.tables.repeats[call.id] = call
        return self.tables.repeats[call.id]

    def reassign(self, call: RepeatableCall, *, call_id: str) -> RepeatableCall:
        if self.tables.repeats[call.id].call_id == call.call_id:
            self.tables.repeats[call.id] = replace(call, call_id=call_id)
        return self.tables.repeats[call.id]

    def keep(self, call_id: str, *, status: int, answer: bytes) -> None:
        if (call := self.find_by_call(call_id)) is not None:
            self.tables.repeats[call.id] = replace(call, status=status, answer=answer)

    def find_by_call(self, call_id: str) -> RepeatableCall | None:
        return next((row for row in self.tables.repeats.values() if row.call_id == call_id), None)

    def forget(self, *, before: datetime, limit: int) -> int:
        old = [name for name, row in self.tables.repeats.items() if row.created_at < before]
        for name in old[:limit]:
            del self.tables.repeats[name]
        return len(old[:limit])
