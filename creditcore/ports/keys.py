"""API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.keys import ApiKey


class ApiKeys(Protocol):
    """The virtual keys. Their use for a call is read by ``Ledger.lock``."""

    def add(self, key: ApiKey) -> None:
        """Add a key.

        Raises:
            ReferenceConflictError: Its id or hash is taken.
        """

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        """Return the owner's keys, newest first, revoked ones included."""

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of the owner's keys, locked until the transaction ends.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
        """

    def save(self, key: ApiKey) -> None:
        """Write a changed key."""

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, whatever its state."""
