"""Issue virtual API keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from creditcore.domain.access import Action
from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.delegation import check_gift
from creditcore.domain.errors import ApiKeyNotFoundError, InvalidRequestError
from creditcore.domain.keys import INFERENCE_ONLY, ApiKey, KeySecret, Scope
from creditcore.domain.limits import NO_LIMITS, KeyLimits
from creditcore.domain.money import Credits
from creditcore.domain.runaway import RunawayStop
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.keys.key_activity import key_activity
from creditcore.usecases.keys.key_counting import count
from creditcore.usecases.teams.membership_terms import locked_team, member_who_may

MAX_NAME_LENGTH = 64

MAX_KEYS = 100
"""Keys of one owner that are not revoked."""

NO_LATER_THAN = datetime(9999, 1, 1, tzinfo=UTC)
"""Every zone writes the instants before this with four digits of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """Give an owner keys, and take them away.

    Attributes:
        pepper: The server's secret under which keys are hashed.
        defaults: The limits of a key for inference whose maker names none.
    """

    transactions: Begins[KeysTransaction]
    clock: Clock
    ids: Ids
    pepper: bytes
    defaults: KeyLimits = NO_LIMITS

    def new_id(self) -> str:
        """Return an id for a key that is yet to be made."""
        return self.ids.new()

    def defaults_for(self, scopes: Iterable[Scope]) -> KeyLimits:
        """Return the limits of a key with these scopes whose maker names none.

        One that manages keys has none: a key with limits gives no keys for inference.
        """
        is_plain = Scope.INFERENCE in scopes and Scope.ACCOUNT_MANAGE not in scopes
        return self.defaults if is_plain else NO_LIMITS

    def issue(
        self,
        owner_id: str,
        *,
        name: str,
        lifetime: timedelta | None = None,
        expires_at: datetime | None = None,
        scopes: Iterable[Scope] = INFERENCE_ONLY,
        limits: KeyLimits | None = None,
        stop_per_hour: Credits | None = None,
        stop_webhook: str = "",
        by: ApiKey | None = None,
        key_id: str | None = None,
        holder_id: str = "",
        actor: Actor = SYSTEM,
    ) -> tuple[ApiKey, KeySecret]:
        """Make a key that spends from the owner's wallet.

        The secret is returned here and nowhere else. Each call makes another key, unless
        the caller names it: then a repeat is refused.

        Args:
            owner_id: Whose key it is: a person's, or a team's.
            name: What its owner calls it.
            lifetime: How long it works, where that is not given by ``expires_at``.
            expires_at: From when on it opens nothing; for ever if None.
            scopes: What it may be used for.
            limits: What its calls may use; the defaults if None.
            stop_per_hour: Pause it when so much was charged within an hour.
            stop_webhook: An address that is told of that; empty for none.
            by: The key that asks, which gives no more than it has; None for the owner.
            key_id: A name from ``new_id``, where the same request may arrive twice.
            holder_id: The member whose key of a team it is; empty for a person's own.
            actor: Who it is that asks, for the activity log.

        Raises:
            InvalidRequestError: The name is empty, too long or unprintable, the time is
                over, the owner is blocked, or has ``MAX_KEYS`` already.
            NotPermittedError: The key that asks may not give this, or the member's role is not
                for keys.
            ReferenceConflictError: The key with this id was made already.
            TeamNotFoundError: The holder is not in this team, or there is none.
            WalletNotFoundError: The owner has no wallet.
        """
        name = clean_name(name)
        now = self.clock.now()
        if lifetime is not None:
            expires_at = now + lifetime
        scopes = clean_scopes(scopes)
        check_expiry(expires_at, now=now)
        if limits is None:
            limits = self.defaults_for(scopes)
        if by is not None:
            check_gift(by, scopes=scopes, limits=limits, expires_at=expires_at)
        secret = KeySecret.generate(secrets.choice)
        with self.transactions.begin() as tx:
            make_room(tx, owner_id, holder_id)
            wallet_id = tx.ledger.find_wallet_of(owner_id).id
            # Locked, so that the limits of the account either are read here or find this key.
            tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
            key = ApiKey(
                id=key_id or self.new_id(),
                wallet_id=wallet_id,
                owner_id=owner_id,
                name=name,
                prefix=secret.shown_prefix,
                last_four=secret.last_four,
                key_hash=secret.hash(self.pepper),
                created_at=now,
                expires_at=expires_at,
                scopes=scopes,
                limits=limits,
                stop=told_by(new_stop(stop_per_hour, before=None, now=now), stop_webhook),
                account_limits=tx.keys.account_limits(wallet_id) or NO_LIMITS,
                holder_id=holder_id,
            )
            tx.keys.add(key)
            tx.activity.add(key_activity(Act.KEY_ISSUED, key, actor=actor, at=now))
            count(tx, key, before=NO_LIMITS, now=now)
            tx.commit()
        return key, secret

    def revoke(
        self, key_id: str, *, owner_id: str, holder_id: str = "", actor: Actor = SYSTEM
    ) -> ApiKey:
        """Refuse a key from the next request on; a repeat changes nothing.

        Args:
            key_id: Which key.
            owner_id: Whose it is.
            holder_id: The one member of a team whose keys are meant; empty for any.
            actor: Who asks, for the activity log.

        Raises:
            ApiKeyNotFoundError: The owner, or the member, has no such key.
        """
        with self.transactions.begin() as tx:
            now = self.clock.now()
            kept = held(tx.keys.lock(key_id, owner_id=owner_id), holder_id)
            key = kept.revoke(at=now)
            if key is kept:
                return kept
            tx.keys.save(key)
            tx.activity.add(key_activity(Act.KEY_REVOKED, key, actor=actor, at=now))
            tx.commit()
        return key


def make_room(tx: KeysTransaction, owner_id: str, holder_id: str = "") -> None:
    """See whether an owner, or a member of a team, may have another key.

    It is seen to until the transaction ends: leaving the team, and being blocked, either come
    first or find this key too.

    Raises:
        InvalidRequestError: The owner is blocked, or has ``MAX_KEYS`` already.
        NotPermittedError: The member's role is not for keys.
        TeamNotFoundError: The holder is not in this team, or there is none.
    """
    owner = tx.people.lock(holder_id or owner_id)
    if owner is not None and owner.blocked:
        raise InvalidRequestError("This account is blocked.")
    if holder_id:
        check_holder(tx, owner_id, holder_id)
    # Counted under the same lock, so that two requests cannot both be the last.
    kept = sum(
        key.revoked_at is None and key.holder_id == holder_id for key in tx.keys.list_of(owner_id)
    )
    if kept >= MAX_KEYS:
        raise InvalidRequestError(
            f"An account has {MAX_KEYS} keys at most. Revoke one that is not used."
        )


def check_holder(tx: KeysTransaction, team_id: str, person_id: str) -> None:
    """See whether a member of a team may hold keys, until the transaction ends.

    Raises:
        NotPermittedError: Their role is not for keys.
        TeamNotFoundError: They are not in this team, or there is none.
    """
    member_who_may(tx, locked_team(tx, team_id), person_id, Action.HOLD_KEYS)


def held(key: ApiKey, holder_id: str) -> ApiKey:
    """Return a key if it is held by the one member who is meant.

    Raises:
        ApiKeyNotFoundError: It is another member's.
    """
    if holder_id and key.holder_id != holder_id:
        raise ApiKeyNotFoundError(key.id)
    return key


def new_stop(
    per_hour: Credits | None, *, before: RunawayStop | None, now: datetime
) -> RunawayStop | None:
    """Return when a key is to be paused; one that stays as it is counts on.

    Raises:
        InvalidRequestError: It would be at nothing.
    """
    if per_hour is None:
        return None
    if before is None:
        return RunawayStop(per_hour, now)
    return before if before.per_hour == per_hour else RunawayStop(per_hour, now, before.webhook)


def told_by(stop: RunawayStop | None, webhook: str) -> RunawayStop | None:
    """Return a stop that an address is told of.

    Raises:
        InvalidRequestError: There is no stop to be told of.
    """
    if stop is None and webhook:
        raise InvalidRequestError(
            "A webhook is told of a stop: say at how much an hour the key stops.",
            param="stop_webhook",
        )
    return stop and replace(stop, webhook=webhook)


def clean_name(name: str) -> str:
    """Return the name of a key as it is stored.

    Raises:
        InvalidRequestError: It is empty, too long or unprintable.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequestError(
            f"A key's name has 1 to {MAX_NAME_LENGTH} printable characters.", param="name"
        )
    return name


def clean_scopes(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return scopes in their order, each once.

    Raises:
        InvalidRequestError: There is none.
    """
    wanted = set(scopes)
    if not wanted:
        raise InvalidRequestError("A key has one scope at least.", param="scopes")
    if wanted == {Scope.INFERENCE}:
        return INFERENCE_ONLY
    return tuple(scope for scope in Scope if scope in wanted)


def check_expiry(expires_at: datetime | None, *, now: datetime) -> None:
    """See whether a key would still open something, and its end be an instant in every zone.

    Raises:
        InvalidRequestError: Its time is over, or would end when years have five digits.
    """
    if expires_at is None:
        return
    if expires_at <= now:
        raise InvalidRequestError("A key expires in the future.", param="expires_at")
    if expires_at >= NO_LATER_THAN:
        raise InvalidRequestError(
            "A key expires before the year 9999; leave it out for one that never does.",
            param="expires_at",
        )
