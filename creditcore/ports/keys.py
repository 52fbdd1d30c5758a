"""API keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter, KeyLimits


class ApiKeys(Protocol):
    """The virtual keys. Their use for a call is read by ``Ledger.lock``."""

    def add(self, key: ApiKey) -> None:
        """Add a key.

        Raises:
            ReferenceConflictError: Its id or hash is taken.
        """

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        """Return the owner's keys, newest first, revoked ones included.

        Args:
            owner_id: A person, for their own keys, or a team, for those of all its members.
        """

    def held_by(self, person_id: str) -> Sequence[ApiKey]:
        """Return the keys of teams that a person holds, newest first, revoked ones included."""

    def page_of(
        self,
        owner_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        holder_id: str = "",
    ) -> Sequence[ApiKey]:
        """Return some of the owner's keys, newest first: those made before an instant and id.

        With ``holder_id``, only those of a team that this member holds.
        """

    def find(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of the owner's keys, without locking it.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
        """

    def of_wallet(self, wallet_id: str) -> Sequence[ApiKey]:
        """Return the keys that draw on a wallet and are not revoked, in the order of their ids."""

    def account_limits(self, wallet_id: str) -> KeyLimits | None:
        """Return what the keys of a wallet may use together; None if that was never said.

        Each key has a copy.
        """

    def wallets_without_limits(self, *, limit: int) -> Sequence[str]:
        """Return ids of wallets of which it was never said what their keys may use together."""

    def set_account_limits(self, wallet_id: str, limits: KeyLimits) -> None:
        """Keep what the keys of a wallet, which the caller has locked, may use together."""

    def with_stops(self, *, after: str, limit: int) -> Sequence[ApiKey]:
        """Return keys with a stop that are neither paused nor revoked, by id, after one."""

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of the owner's keys, locked until the transaction ends.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
        """

    def save(self, key: ApiKey) -> None:
        """Write a changed key."""

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, whatever its state."""

    def counters(self, counter_ids: Collection[str]) -> Mapping[str, KeyCounter]:
        """Return what limited keys have used, by the id of the counter."""

    def set_counter(self, counter: KeyCounter) -> None:
        """Add or replace a counter, whose wallet the caller has locked."""
