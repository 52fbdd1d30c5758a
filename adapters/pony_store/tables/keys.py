"""API keys in ``virtual_keys``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pony.orm import desc

from adapters.pony_store.instants import instant, instant_or_none, micros, micros_or_none
from adapters.pony_store.session import Session
from creditcore.domain.errors import ApiKeyNotFoundError, ReferenceConflictError
from creditcore.domain.keys import ApiKey

KEY_COLUMNS = (
    "id",
    "wallet_id",
    "owner_id",
    "name",
    "prefix",
    "last_four",
    "key_hash",
    "created_at",
    "expires_at",
    "revoked_at",
)

TERM_COLUMNS = ("id", "wallet_id", "expires_at", "revoked_at")
"""What decides whether a key opens a wallet."""


class PonyApiKeys:
    """The virtual keys."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entity = session.db.VirtualKey

    def add(self, key: ApiKey) -> None:
        """Add a key.

        Raises:
            ReferenceConflictError: Its id or hash is taken.
        """
        with self._session.translated(taken=ReferenceConflictError(key.id)):
            self._entity(**key_columns(key)).flush()

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        """Return the owner's keys, newest first, revoked ones included."""
        newest = desc(self._entity.created_at), desc(self._entity.id)
        with self._session.translated():
            rows = list(self._entity.select().filter(owner_id=owner_id).order_by(*newest))
        return [key_from_row(row) for row in rows]

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of the owner's keys, locked until the transaction ends.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
        """
        with self._session.translated():
            row = self._entity.get_for_update(id=key_id, owner_id=owner_id)
        if row is None:
            raise ApiKeyNotFoundError(key_id)
        return key_from_row(row)

    def save(self, key: ApiKey) -> None:
        """Write a changed key.

        Raises:
            ApiKeyNotFoundError: There is no such key.
        """
        changes = key_columns(key)
        with self._session.translated():
            row = self._entity.get_for_update(id=changes.pop("id"))
            if row is not None:
                row.set(**changes)
                row.flush()
        if row is None:
            raise ApiKeyNotFoundError(key.id)

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, whatever its state."""
        with self._session.translated():
            row = self._entity.get(key_hash=key_hash)
        return None if row is None else key_from_row(row)


def term_values(key: ApiKey) -> tuple[object, ...]:
    """Return the values of ``TERM_COLUMNS``."""
    return (
        key.id,
        key.wallet_id,
        micros_or_none(key.expires_at),
        micros_or_none(key.revoked_at),
    )


def key_columns(key: ApiKey) -> dict[str, object]:
    """Return a row of ``virtual_keys``."""
    return {
        "id": key.id,
        "wallet_id": key.wallet_id,
        "owner_id": key.owner_id,
        "name": key.name,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "key_hash": key.key_hash,
        "created_at": micros(key.created_at),
        "expires_at": micros_or_none(key.expires_at),
        "revoked_at": micros_or_none(key.revoked_at),
    }


def key_from_row(row: Any) -> ApiKey:
    """Return the API key of a row."""
    return ApiKey(
        id=row.id,
        wallet_id=row.wallet_id,
        owner_id=row.owner_id,
        name=row.name,
        prefix=row.prefix,
        last_four=row.last_four,
        # psycopg2 returns a memoryview.
        key_hash=bytes(row.key_hash),
        created_at=instant(row.created_at),
        expires_at=instant_or_none(row.expires_at),
        revoked_at=instant_or_none(row.revoked_at),
    )
