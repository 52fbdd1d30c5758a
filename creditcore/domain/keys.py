"""Virtual API keys: their shape, their checksum, and what is stored of them.

A key is ``sk-cc-``, 32 random base62 characters and 6 checksum characters, so that a
mistyped or invented key is refused without asking the database, and a leaked one can
be recognised by scanners. Only its HMAC is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from creditcore.domain.errors import KeyRefusedError, NotPermittedError
from creditcore.domain.limits import (
    NO_LIMITS,
    Count,
    KeyLimits,
    Whose,
    account_counter_id,
    count_of_member,
    member_counter_id,
)
from creditcore.domain.makers import maker_of
from creditcore.domain.runaway import RunawayStop

KEY_PREFIX = "sk-cc-"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6
_BLOCK = 64  # bytes that SHA-256 takes at a time
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_SHAPE = re.compile(
    rf"{KEY_PREFIX}([0-9A-Za-z]{{{_RANDOM_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True, repr=False)
class KeySecret:
    """A key as its owner holds it. Shown once, never stored, never logged."""

    text: str

    @classmethod
    def generate(cls, choose: Callable[[str], str]) -> Self:
        """Make a new key.

        Args:
            choose: Picks one character of an alphabet at random; ``secrets.choice``.
        """
        body = "".join(choose(_ALPHABET) for _ in range(_RANDOM_LENGTH))
        return cls(f"{KEY_PREFIX}{body}{_checksum(body)}")

    @classmethod
    def parse(cls, text: str) -> KeySecret:
        """Read a key from a request.

        Raises:
            KeyRefusedError: It has not the shape of a key, or its checksum is wrong.
        """
        match = _SHAPE.fullmatch(text)
        if match is None or not hmac.compare_digest(_checksum(match[1]), match[2]):
            raise KeyRefusedError("malformed")
        return _make_secret(text)

    @property
    def shown_prefix(self) -> str:
        """What lists may show of the beginning."""
        return self.text[: len(KEY_PREFIX) + 4]

    @property
    def last_four(self) -> str:
        """What lists may show of the end."""
        return self.text[-4:]

    def hash(self, pepper: bytes) -> bytes:
        """Return what is stored: HMAC-SHA256 under the server's secret.

        A fast hash is right here: the key itself has 190 random bits.
        """
        inner, outer = _prepared(pepper)
        inner, outer = inner.copy(), outer.copy()
        inner.update(self.text.encode())
        outer.update(inner.digest())
        digest: bytes = outer.digest()
        return digest

    def __repr__(self) -> str:
        return f"KeySecret({self.shown_prefix}...)"


_make_secret = maker_of(KeySecret)


@lru_cache(maxsize=8)
def _prepared(pepper: bytes) -> tuple[Any, Any]:
    """Return both hashes of HMAC (RFC 2104) as the secret leaves them.

    Each call hashes a key, and ``hmac.digest`` reads the secret anew: that is four fifths of it.
    """
    secret = pepper if len(pepper) <= _BLOCK else hashlib.sha256(pepper).digest()
    padded = secret.ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def _checksum(body: str) -> str:
    """Return the CRC-32 of a key's random part in base 62, written two digits at a time."""
    rest, last = divmod(zlib.crc32(body.encode()), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]


class Scope(StrEnum):
    """What a key may be used for."""

    INFERENCE = "inference"
    ACCOUNT_READ = "account:read"
    ACCOUNT_MANAGE = "account:manage"


INFERENCE_ONLY = (Scope.INFERENCE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A virtual key that spends from one wallet.

    Attributes:
        wallet_id: Where its calls are charged.
        owner_id: Whose account it belongs to: a person's, or a team's.
        holder_id: The member of the team whose key it is; empty for a person's own key.
        prefix, last_four: What lists show of the secret.
        key_hash: What is stored of it.
        expires_at: From then on it opens nothing.
        paused_at: Since when it opens nothing, until it is resumed.
        paused_by: ``PAUSED_BY_STOP`` where its stop has done so; empty where its owner has.
        stop: When it is to be paused by itself.
        scopes: What it may be used for, in the order of ``Scope``.
        limits: What its calls may use.
        account_limits: What the calls of all keys of its wallet may use together. Each key
            has a copy, so that a call reads nothing but its key.
        family: The id of the first key, where this one came from it by rotation: they share
            their limits.
        revision: How often it was changed, so that a copy can be told to be outdated.
    """

    id: str
    wallet_id: str
    owner_id: str
    name: str
    prefix: str
    last_four: str
    key_hash: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str = ""
    stop: RunawayStop | None = None
    scopes: tuple[Scope, ...] = INFERENCE_ONLY
    limits: KeyLimits = NO_LIMITS
    account_limits: KeyLimits = NO_LIMITS
    family: str = ""
    revision: int = 0
    holder_id: str = ""
    _counts: tuple[Count, ...] | None = field(init=False, repr=False, compare=False, default=None)

    @property
    def counter_id(self) -> str:
        """Names what this key has used of its limits."""
        return self.family or self.id

    @property
    def counts(self) -> tuple[Count, ...]:
        """The counts that its calls go into: those that limit it, and a team's of its holder."""
        # Most keys have no limits, and every call comes by here.
        if self.limits is NO_LIMITS and self.account_limits is NO_LIMITS and not self.holder_id:
            return ()
        if self._counts is None:
            # A key that is remembered is asked several times in each of its calls.
            object.__setattr__(self, "_counts", self._counted())
        return self._counts or ()

    def _counted(self) -> tuple[Count, ...]:
        own = Count(self.counter_id, self.limits, Whose.KEY)
        shared = Count(account_counter_id(self.wallet_id), self.account_limits, Whose.ACCOUNT)
        limited = tuple(count for count in (own, shared) if count.limits.is_counted)
        return (*limited, count_of_member(self.member_counter_id)) if self.holder_id else limited

    @property
    def member_counter_id(self) -> str:
        """Names what its holder has used of their team's wallet; empty for a person's own key."""
        return member_counter_id(self.wallet_id, self.holder_id) if self.holder_id else ""

    @property
    def has_rates(self) -> bool:
        """Whether requests or tokens per minute are limited, by itself or its account."""
        return self.limits.has_rates or self.account_limits.has_rates

    def usable(self, *, now: datetime) -> ApiKey:
        """Return the key itself if it opens anything now.

        Raises:
            KeyRefusedError: Revoked, expired or paused.
        """
        if self.revoked_at is not None:
            raise KeyRefusedError("revoked")
        if self.paused_at is not None:
            raise KeyRefusedError("paused")
        if self.expires_at is not None and self.expires_at <= now:
            raise KeyRefusedError("expired")
        return self

    def revoke(self, *, at: datetime) -> ApiKey:
        """Return the key as it opens nothing any more; a repeat keeps the first time."""
        return self if self.revoked_at is not None else self.changed(revoked_at=at)

    def changed(self, **changes: Any) -> ApiKey:
        """Return the key with other terms; copies of it are outdated from then on."""
        return replace(self, **changes, revision=self.revision + 1)

    def require(self, scope: Scope) -> None:
        """See whether the key may be used for something.

        Raises:
            NotPermittedError: It has not this scope.
        """
        if scope not in self.scopes:
            raise NotPermittedError(
                f"This API key has not the scope {scope}; it has {', '.join(self.scopes)}.",
                code="insufficient_scope",
            )

    def check_address(self, address: str | None) -> None:
        """See whether the key may be used from an address.

        Raises:
            NotPermittedError: The address is not among those allowed.
        """
        if not self.limits.permits_address(address):
            raise NotPermittedError(
                f"This API key may not be used from the address {address or 'of this request'}.",
                code="address_not_allowed",
            )

    def check_call(self, model: str, address: str | None) -> None:
        """See whether the key may make a call.

        Raises:
            NotPermittedError: It is not for inference, or not for this model or address.
        """
        if self.scopes is not INFERENCE_ONLY:
            self.require(Scope.INFERENCE)
        if self.limits is not NO_LIMITS:
            self.check_address(address)
            if not self.limits.permits_model(model):
                raise NotPermittedError(
                    f"This API key may not call {model}; it may call "
                    f"{', '.join(self.limits.models)}.",
                    param="model",
                    code="model_not_allowed",
                )
