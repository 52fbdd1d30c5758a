"""API keys in ``virtual_keys``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pony.orm import desc

from creditcore.domain.errors import ApiKeyNotFoundError, ReferenceConflictError
from creditcore.domain.keys import INFERENCE_ONLY, ApiKey, Scope
from creditcore.domain.limits import NO_LIMITS, KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.runaway import RunawayStop

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, marks
from .key_counters import (
    COUNTER_COLUMNS,
    SELECT_COUNTERS,
    counter_from_row,
    counter_values,
)

SHARED_COLUMNS = ("spend_limit", "spend_period", "spend_zone", "max_parallel", "rpm", "tpm")
"""Limits that the keys of a wallet may share: those that are counted."""

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
    "paused_at",
    "paused_by",
    "stop_per_hour",
    "stop_since",
    "stop_webhook",
    "scopes",
    "spend_limit",
    "spend_period",
    "spend_zone",
    "max_parallel",
    "rpm",
    "tpm",
    "allowed_models",
    "allowed_addresses",
    *(f"account_{column}" for column in SHARED_COLUMNS),
    "family",
    "revision",
    "holder_id",
)

TERM_COLUMNS = {
    "id": "TEXT",
    "wallet_id": "TEXT",
    "expires_at": "BIGINT",
    "revoked_at": "BIGINT",
    "revision": "BIGINT",
}
"""What decides whether a key opens a wallet; each change of its other terms is a revision."""


class PonyApiKeys:
    """The virtual keys."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entity = session.db.VirtualKey

    def add(self, key: ApiKey) -> None:
        with self._session.translated(taken=ReferenceConflictError(key.id)):
            self._entity(**key_columns(key)).flush()
        self._mirror(key)

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        newest = desc(self._entity.created_at), desc(self._entity.id)
        with self._session.translated():
            rows = list(self._entity.select().filter(owner_id=owner_id).order_by(*newest))
        return [key_from_row(row) for row in rows]

    def held_by(self, person_id: str) -> Sequence[ApiKey]:
        rows = self._session.rows(
            f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys"
            " WHERE holder_id = ? AND holder_id <> '' ORDER BY created_at DESC, id DESC",
            (person_id,),
        )
        return [key_from_row(row) for row in rows]

    def page_of(
        self,
        owner_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        holder_id: str = "",
    ) -> Sequence[ApiKey]:
        made_before = "" if before is None else " AND (created_at, id) < (?, ?)"
        start = () if before is None else (micros(before[0]), before[1])
        held, holder = (" AND holder_id = ?", (holder_id,)) if holder_id else ("", ())
        rows = self._session.rows(
            f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys"
            f" WHERE owner_id = ?{made_before}{held}"
            " ORDER BY created_at DESC, id DESC LIMIT ?",
            (owner_id, *start, *holder, limit),
        )
        return [key_from_row(row) for row in rows]

    def find(self, key_id: str, *, owner_id: str) -> ApiKey:
        with self._session.translated():
            row = self._entity.get(id=key_id, owner_id=owner_id)
        if row is None:
            raise ApiKeyNotFoundError(key_id)
        return key_from_row(row)

    def of_wallet(self, wallet_id: str) -> Sequence[ApiKey]:
        rows = self._session.rows(
            f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys"
            " WHERE wallet_id = ? AND revoked_at IS NULL ORDER BY id",
            (wallet_id,),
        )
        return [key_from_row(row) for row in rows]

    def with_stops(self, *, after: str, limit: int) -> Sequence[ApiKey]:
        rows = self._session.rows(
            f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys WHERE stop_per_hour IS NOT NULL"
            " AND paused_at IS NULL AND revoked_at IS NULL AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [key_from_row(row) for row in rows]

    def account_limits(self, wallet_id: str) -> KeyLimits | None:
        rows = self._session.rows(
            f"SELECT {', '.join(SHARED_COLUMNS)} FROM account_limits WHERE wallet_id = ?",
            (wallet_id,),
        )
        return _shared_limits(rows[0]) if rows else None

    def wallets_without_limits(self, *, limit: int) -> Sequence[str]:
        """Return ids of wallets whose keys have no limits together."""
        rows = self._session.rows(
            "SELECT id FROM wallets WHERE NOT EXISTS"
            " (SELECT 1 FROM account_limits WHERE wallet_id = wallets.id) ORDER BY id LIMIT ?",
            (limit,),
        )
        return [row.id for row in rows]

    def set_account_limits(self, wallet_id: str, limits: KeyLimits) -> None:
        replaced = ", ".join(f"{column} = excluded.{column}" for column in SHARED_COLUMNS)
        self._session.change(
            f"INSERT INTO account_limits (wallet_id, {', '.join(SHARED_COLUMNS)})"
            f" VALUES ({marks(len(SHARED_COLUMNS) + 1)})"
            f" ON CONFLICT (wallet_id) DO UPDATE SET {replaced}",
            (wallet_id, *_shared_columns(limits).values()),
        )

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
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
        self._mirror(key)

    def _mirror(self, key: ApiKey) -> None:
        """Make the model server's copy of a key due: it is new, or was changed."""
        self._session.change(
            "INSERT INTO key_mirrors (key_id, revision, sync_status, last_error, attempts, due_at)"
            " VALUES (?, 1, 'pending', '', 0, 0) ON CONFLICT (key_id) DO UPDATE SET"
            " revision = key_mirrors.revision + 1, sync_status = 'pending', attempts = 0,"
            " due_at = 0",
            (key.id,),
        )

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        with self._session.translated():
            row = self._entity.get(key_hash=key_hash)
        return None if row is None else key_from_row(row)

    def counters(self, counter_ids: Collection[str]) -> dict[str, KeyCounter]:
        rows = self._session.rows_in(f"{SELECT_COUNTERS} WHERE id IN ({{names}})", counter_ids)
        return {row.id: counter_from_row(row) for row in rows}

    def set_counter(self, counter: KeyCounter) -> None:
        replaced = ", ".join(f"{column} = excluded.{column}" for column in COUNTER_COLUMNS[2:])
        self._session.change(
            f"INSERT INTO key_counters ({', '.join(COUNTER_COLUMNS)})"
            f" VALUES ({marks(len(COUNTER_COLUMNS))}) ON CONFLICT (id) DO UPDATE SET {replaced}",
            counter_values(counter),
        )


def term_document(key: ApiKey) -> dict[str, object]:
    """Return what decides whether a key opens a wallet, by ``TERM_COLUMNS``."""
    return {
        "id": key.id,
        "wallet_id": key.wallet_id,
        "expires_at": micros_or_none(key.expires_at),
        "revoked_at": micros_or_none(key.revoked_at),
        "revision": key.revision,
    }


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
        "paused_at": micros_or_none(key.paused_at),
        "paused_by": key.paused_by,
        "stop_per_hour": key.stop.per_hour.microcredits if key.stop else None,
        "stop_since": micros(key.stop.since) if key.stop else None,
        "stop_webhook": key.stop.webhook if key.stop else "",
        "scopes": " ".join(key.scopes),
        **_limit_columns(key.limits),
        **{
            f"account_{column}": value
            for column, value in _shared_columns(key.account_limits).items()
        },
        "family": key.family,
        "revision": key.revision,
        "holder_id": key.holder_id,
    }


def _limit_columns(limits: KeyLimits) -> dict[str, object]:
    return {
        **_shared_columns(limits),
        # Neither has a line break in it.
        "allowed_models": "\n".join(limits.models),
        "allowed_addresses": "\n".join(limits.addresses),
    }


def _shared_columns(limits: KeyLimits) -> dict[str, object]:
    spend = limits.spend
    return {
        "spend_limit": spend.credits.microcredits if spend else None,
        "spend_period": str(spend.period) if spend else "",
        "spend_zone": spend.zone if spend else "",
        "max_parallel": limits.max_parallel,
        "rpm": limits.rpm,
        "tpm": limits.tpm,
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
        paused_at=instant_or_none(row.paused_at),
        paused_by=row.paused_by,
        stop=_stop_from_row(row),
        scopes=INFERENCE_ONLY
        if row.scopes == Scope.INFERENCE
        else tuple(map(Scope, row.scopes.split())),
        limits=_limits_from_row(row),
        account_limits=_shared_limits(row, "account_"),
        family=row.family,
        revision=row.revision,
        holder_id=row.holder_id,
    )


def _stop_from_row(row: Any) -> RunawayStop | None:
    if row.stop_per_hour is None:
        return None
    return RunawayStop(Credits(row.stop_per_hour), instant(row.stop_since), row.stop_webhook)


def _limits_from_row(row: Any) -> KeyLimits:
    spend = None
    if row.spend_limit is not None:
        spend = SpendLimit(
            credits=Credits(row.spend_limit), period=Period(row.spend_period), zone=row.spend_zone
        )
    limits = KeyLimits(
        spend=spend,
        max_parallel=row.max_parallel,
        rpm=row.rpm,
        tpm=row.tpm,
        models=tuple(row.allowed_models.splitlines()),
        addresses=tuple(row.allowed_addresses.splitlines()),
    )
    return NO_LIMITS if limits == NO_LIMITS else limits


def _shared_limits(row: Any, prefix: str = "") -> KeyLimits:
    amount, period, zone, *counts = (getattr(row, f"{prefix}{name}") for name in SHARED_COLUMNS)
    if amount is None and counts == [None, None, None]:
        return NO_LIMITS
    spend = None
    if amount is not None:
        spend = SpendLimit(credits=Credits(amount), period=Period(period), zone=zone)
    max_parallel, rpm, tpm = counts
    return KeyLimits(spend=spend, max_parallel=max_parallel, rpm=rpm, tpm=tpm)
