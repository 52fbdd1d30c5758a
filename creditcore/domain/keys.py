"""Virtual API keys: their shape, their checksum, and what is stored of them.

A key is ``sk-cc-``, 32 random base62 characters and 6 checksum characters, so that a
mistyped or invented key is refused without asking the database, and a leaked one can
be recognised by scanners. Only its HMAC is stored.
"""

from __future__ import annotations

import hmac
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from creditcore.domain.errors import KeyRefusedError

KEY_PREFIX = "sk-cc-"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6
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
    def parse(cls, text: str) -> Self:
        """Read a key from a request.

        Raises:
            KeyRefusedError: It has not the shape of a key, or its checksum is wrong.
        """
        match = _SHAPE.fullmatch(text)
        if match is None or not hmac.compare_digest(_checksum(match[1]), match[2]):
            raise KeyRefusedError("malformed")
        return cls(text)

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
        return hmac.digest(pepper, self.text.encode(), "sha256")

    def __repr__(self) -> str:
        return f"KeySecret({self.shown_prefix}...)"


def _checksum(body: str) -> str:
    """Return the CRC-32 of a key's random part in base 62, written two digits at a time."""
    rest, last = divmod(zlib.crc32(body.encode()), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A virtual key that spends from one wallet.

    Attributes:
        wallet_id: Where its calls are charged.
        owner_id: The person who may see and revoke it.
        prefix, last_four: What lists show of the secret.
        key_hash: What is stored of it.
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

    def usable(self, *, now: datetime) -> ApiKey:
        """Return the key itself if it opens anything now.

        Raises:
            KeyRefusedError: Revoked or expired.
        """
        if self.revoked_at is not None:
            raise KeyRefusedError("revoked")
        if self.expires_at is not None and self.expires_at <= now:
            raise KeyRefusedError("expired")
        return self

    def revoke(self, *, at: datetime) -> ApiKey:
        """Return the key as it opens nothing any more; a repeat keeps the first time."""
        return self if self.revoked_at is not None else replace(self, revoked_at=at)
