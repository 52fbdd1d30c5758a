"""Change, pause and rotate the keys of an owner."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.delegation import check_gift
from creditcore.domain.errors import ApiKeyNotFoundError, InvalidRequestError
from creditcore.domain.keys import ApiKey, KeySecret, Scope
from creditcore.domain.limits import KeyLimits
from creditcore.domain.money import Credits
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.keys.issue_key import (
    check_expiry,
    check_holder,
    clean_name,
    clean_scopes,
    held,
    make_room,
    new_stop,
    told_by,
)
from creditcore.usecases.keys.key_activity import key_activity
from creditcore.usecases.keys.key_counting import count

MAX_OVERLAP = timedelta(hours=72)
"""How long the old secret of a rotated key may go on working."""


class _Unchanged:
    """Stands for a term that is left as it is: None means that there is none."""


UNCHANGED: Final = _Unchanged()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanges:
    """Terms that are to become others; the rest stays."""

    name: str | None = None
    scopes: tuple[Scope, ...] | None = None
    limits: KeyLimits | None = None
    expires_at: datetime | _Unchanged | None = UNCHANGED
    stop_per_hour: Credits | _Unchanged | None = UNCHANGED
    stop_webhook: str | _Unchanged = UNCHANGED
    paused: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeKey:
    """Change keys that exist. Every change counts with the very next request, on every host.

    Attributes:
        pepper: The server's secret under which keys are hashed.
    """

    transactions: Begins[KeysTransaction]
    clock: Clock
    ids: Ids
    pepper: bytes

    def change(
        self,
        key_id: str,
        changes: KeyChanges | Callable[[ApiKey], KeyChanges],
        *,
        owner_id: str,
        holder_id: str = "",
        by: ApiKey | None = None,
        actor: Actor = SYSTEM,
    ) -> ApiKey:
        """Give a key other terms; a repeat changes nothing more.

        Args:
            key_id: Which key.
            changes: The terms, or what tells them from the key as it is.
            owner_id: Whose key it is.
            holder_id: The one member of a team whose keys are meant; empty for any.
            by: The key that asks, which gives no more than it has; None for the owner.
            actor: Who asks, for the activity log.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
            InvalidRequestError: It is revoked, or a term means nothing.
            NotPermittedError: The key that asks may not give this.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            key = held(tx.keys.lock(key_id, owner_id=owner_id), holder_id)
            _refuse_revoked(key)
            changed = _changed(key, changes(key) if callable(changes) else changes, now=now)
            if changed == key:
                return key
            if by is not None and changed.paused_at is None:
                _check_gift(by, changed)
            changed = replace(changed, revision=key.revision + 1)
            tx.keys.save(changed)
            count(tx, changed, before=key.limits, now=now)
            tx.activity.add(key_activity(Act.KEY_CHANGED, changed, actor=actor, at=now, before=key))
            tx.commit()
        return changed

    def pause_all(self, owner_id: str, *, holder_id: str = "", actor: Actor = SYSTEM) -> int:
        """Pause every key of an owner that is not paused; return how many.

        Args:
            owner_id: Whose keys.
            holder_id: The one member of a team whose keys are meant; empty for all.
            actor: Who asks, for the activity log.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            # Locked as for a new key: one that is being made is found, or is made after this.
            tx.people.lock(holder_id or owner_id)
            running = [
                key
                for key in tx.keys.list_of(owner_id)
                if key.revoked_at is None and key.paused_at is None
                if holder_id in {"", key.holder_id}
            ]
            for key in running:
                locked = tx.keys.lock(key.id, owner_id=owner_id)
                paused = locked.changed(paused_at=locked.paused_at or now)
                tx.keys.save(paused)
                tx.activity.add(
                    key_activity(Act.KEY_CHANGED, paused, actor=actor, at=now, before=locked)
                )
            tx.commit()
        return len(running)

    def rotate(
        self,
        key_id: str,
        *,
        owner_id: str,
        overlap: timedelta = timedelta(0),
        holder_id: str = "",
        by: ApiKey | None = None,
        actor: Actor = SYSTEM,
    ) -> tuple[ApiKey, KeySecret]:
        """Make a key that takes the place of another: the same terms, the same count.

        The old one opens nothing any more after the overlap; without one, from now on. A key of
        a team is rotated by the member who holds it: the new secret is theirs to know.

        Raises:
            ApiKeyNotFoundError: The owner has no such key, or the member holds none.
            InvalidRequestError: The overlap is too long, the key opens nothing any more, or
                there is no room for another.
            NotPermittedError: The key that asks may not give this.
        """
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise InvalidRequestError(
                "The old key may go on working for 0 to 72 hours.", param="overlap_hours"
            )
        now, secret = self.clock.now(), KeySecret.generate(secrets.choice)
        with self.transactions.begin() as tx:
            if overlap:
                make_room(tx, owner_id, holder_id)
            elif holder_id:
                # Leaving the team either comes first or finds the new key too.
                check_holder(tx, owner_id, holder_id)
            old = tx.keys.lock(key_id, owner_id=owner_id)
            if old.holder_id != holder_id:
                raise ApiKeyNotFoundError(key_id)
            _refuse_revoked(old)
            if old.expires_at is not None and old.expires_at <= now:
                raise InvalidRequestError("This key has expired. Make another one.")
            if by is not None:
                _check_gift(by, old)
            new = replace(
                old,
                id=self.ids.new(),
                prefix=secret.shown_prefix,
                last_four=secret.last_four,
                key_hash=secret.hash(self.pepper),
                created_at=now,
                family=old.counter_id,
                revision=0,
            )
            tx.keys.add(new)
            ends_at = min(now + overlap, old.expires_at or now + overlap)
            tx.keys.save(old.changed(expires_at=ends_at) if overlap else old.revoke(at=now))
            tx.activity.add(
                key_activity(
                    Act.KEY_ROTATED,
                    new,
                    actor=actor,
                    at=now,
                    replaces=old.id,
                    replaced_works_until=ends_at.isoformat(),
                )
            )
            tx.commit()
        return new, secret


def _refuse_revoked(key: ApiKey) -> None:
    if key.revoked_at is not None:
        raise InvalidRequestError("This key is revoked, which cannot be undone.", code="revoked")


def _check_gift(by: ApiKey, key: ApiKey) -> None:
    check_gift(by, scopes=key.scopes, limits=key.limits, expires_at=key.expires_at)


def _changed(key: ApiKey, changes: KeyChanges, *, now: datetime) -> ApiKey:
    if changes.name is not None:
        key = replace(key, name=clean_name(changes.name))
    if changes.scopes is not None:
        key = replace(key, scopes=clean_scopes(changes.scopes))
    if changes.limits is not None:
        key = replace(key, limits=changes.limits)
    if not isinstance(changes.expires_at, _Unchanged) and changes.expires_at != key.expires_at:
        check_expiry(changes.expires_at, now=now)
        key = replace(key, expires_at=changes.expires_at)
    if not isinstance(changes.stop_per_hour, _Unchanged):
        key = replace(key, stop=new_stop(changes.stop_per_hour, before=key.stop, now=now))
    if not isinstance(changes.stop_webhook, _Unchanged):
        key = replace(key, stop=told_by(key.stop, changes.stop_webhook))
    if changes.paused is False and key.paused_at is not None:
        # What made it stop must not stop it again at once.
        stop = key.stop and replace(key.stop, since=now)
        key = replace(key, paused_at=None, paused_by="", stop=stop)
    elif changes.paused:
        key = replace(key, paused_at=key.paused_at or now)
    return key
