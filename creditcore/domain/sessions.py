"""A session of this site: one browser in which a person is signed in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from creditcore.domain.people import Person

IDLE_LIMIT = timedelta(days=14)
"""A session that is not used for so long is over."""

ABSOLUTE_LIMIT = timedelta(days=90)
"""However much it is used, its owner signs in again after so long."""

PENDING_LIMIT = timedelta(minutes=10)
"""How long the first factor waits for the second."""

CHOOSING_LIMIT = timedelta(minutes=30)
"""How long a link for recovery leaves to choose a password."""

STEP_UP = timedelta(minutes=30)
"""For so long after proving who they are, people may move money and change what protects them."""

SEEN_EVERY = timedelta(minutes=5)
"""How exact ``last_seen_at`` is: it costs a write."""


class Stage(StrEnum):
    """How far a person has come with signing in."""

    OPEN = "open"
    SECOND_FACTOR = "second_factor"
    """The first factor was right; the session opens nothing but the check of the second."""
    NEW_PASSWORD = "new_password"  # noqa: S105 - a name, not a secret
    """They came by a link for recovery, and may choose a password, nothing else."""
    RECOVERING = "recovering"
    """As NEW_PASSWORD, but their second factor is to be shown first."""


_LIMITS = {
    Stage.OPEN: ABSOLUTE_LIMIT,
    Stage.SECOND_FACTOR: PENDING_LIMIT,
    Stage.RECOVERING: PENDING_LIMIT,
    Stage.NEW_PASSWORD: CHOOSING_LIMIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a person signs in from, in words that say enough to recognise it.

    Attributes:
        name: Such as ``Firefox on Linux``.
        place: The network, never the whole address: ``41.90.64.0/24``.
    """

    name: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session.

    Attributes:
        id: What lists and forms call it; it opens nothing.
        secret_hash: SHA-256 of what the browser's cookie holds.
        epoch: The person's ``session_epoch`` when it began.
        proved_at: When its owner last showed a password, a code, or came from a provider.
        provider_session_id: What the identity provider calls it.
        subject: What the identity provider calls its owner, where it is not ``person_id``.
        sealed_grant: The provider's grant, sealed; empty where there is none.
        good_until: When the provider has to be asked again; None: never.
        refreshing_until: Until when another process is asking.
        ended_at: When it was ended, by its owner or for them.
    """

    id: str
    secret_hash: bytes = field(repr=False)
    person_id: str
    epoch: int
    stage: Stage = Stage.OPEN
    device: Device = Device()
    created_at: datetime
    last_seen_at: datetime
    proved_at: datetime
    provider_session_id: str = ""
    subject: str = ""
    sealed_grant: bytes = field(default=b"", repr=False)
    good_until: datetime | None = None
    refreshing_until: datetime | None = None
    ended_at: datetime | None = None

    def counts_for(self, person: Person, *, now: datetime) -> bool:
        """Whether it lets this person in, as far as its stage goes."""
        return (
            self.ended_at is None
            and self.person_id == person.id
            and not person.blocked
            and self.epoch == person.session_epoch
            and self.created_at <= now < self.ends_at
        )

    @property
    def ends_at(self) -> datetime:
        """When it is over if it is not used any more."""
        return min(self.created_at + _LIMITS[self.stage], self.last_seen_at + IDLE_LIMIT)

    def is_stepped_up(self, *, now: datetime) -> bool:
        """Whether its owner has proved lately enough who they are."""
        return self.stage is Stage.OPEN and self.proved_at <= now < self.proved_at + STEP_UP

    def seen(self, *, at: datetime) -> Self:
        """Return the session as it was used just now."""
        return replace(self, last_seen_at=max(at, self.last_seen_at))

    def prove(self, *, at: datetime) -> Self:
        """Return the session as its owner has shown who they are."""
        return replace(self, proved_at=at)

    def end(self, *, at: datetime) -> Self:
        """Return the session as it is over; what the provider gave is forgotten."""
        if self.ended_at is not None:
            return self
        return replace(self, ended_at=at, sealed_grant=b"", good_until=None)


def new_secret() -> str:
    """Return what a cookie holds: 256 bits, as text."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """Return what is stored of it. It is random enough to need no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
