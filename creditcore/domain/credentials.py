"""What a local account is recognised by, and what bounds guessing at it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from creditcore.domain.identities import LinkKind

RECOVERY_CODES = 10

LINK_LIFETIME = timedelta(minutes=30)
INVITATION_LIFETIME = timedelta(days=7)

MAX_FAILURES = 5
"""So many wrong codes or passwords in a row, and the account pauses."""

PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The ways into one local account. One row: a transaction that changes it has it locked.

    Attributes:
        password_hash: Empty where there is none yet.
        confirmed_at: When the address was shown to be theirs; None: not yet.
        banned_until: Its owner does not get in before.
        totp_sealed: The secret of the authenticator app, sealed; empty where there is none.
        totp_since: When the app was first shown to work; None: it does not count yet.
        totp_step: The last 30 s step whose code was used: none up to it works again.
        recovery_hashes: Of the recovery codes that are left.
        new_email: The address they asked to change to.
        failures: Wrong codes, and wrong passwords of who is signed in, since the last right one.
        paused_until: No attempt counts before.
    """

    person_id: str
    password_hash: str = field(default="", repr=False)
    confirmed_at: datetime | None = None
    banned_until: datetime | None = None
    totp_sealed: bytes = field(default=b"", repr=False)
    totp_since: datetime | None = None
    totp_step: int = 0
    recovery_hashes: frozenset[bytes] = field(default=frozenset(), repr=False)
    new_email: str = ""
    failures: int = 0
    paused_until: datetime | None = None

    @property
    def seal_context(self) -> str:
        """What the secret of the authenticator app is sealed for."""
        return f"totp:{self.person_id}"

    @property
    def has_second_factor(self) -> bool:
        """Whether the password alone is not enough."""
        return self.totp_since is not None

    def is_banned(self, *, now: datetime) -> bool:
        """Whether its owner is kept out."""
        return self.banned_until is not None and now < self.banned_until

    def pause_left(self, *, now: datetime) -> timedelta:
        """Return how long no attempt counts."""
        if self.paused_until is None:
            return timedelta(0)
        return max(self.paused_until - now, timedelta(0))

    def failed(self, *, at: datetime) -> Self:
        """Return the account after a wrong attempt: each fifth one pauses it, longer each time."""
        failures = self.failures + 1
        if failures % MAX_FAILURES:
            return replace(self, failures=failures)
        # 15 minutes, then 30, 60, ... up to a day: some forty guesses in the first day.
        doublings = min(failures // MAX_FAILURES - 1, 6)
        pause = min(PAUSE * 2**doublings, timedelta(days=1))
        return replace(self, failures=failures, paused_until=at + pause)

    def succeeded(self) -> Self:
        """Return the account after a right attempt."""
        return replace(self, failures=0, paused_until=None)

    def without_second_factor(self) -> Self:
        """Return the account as the password is enough."""
        return replace(
            self, totp_sealed=b"", totp_since=None, totp_step=0, recovery_hashes=frozenset()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLink:
    """A link in a mail.

    Attributes:
        id: Public; with a code that only we can compute it makes the link's token.
        email: Where it was mailed; for EMAIL_CHANGE the address that it makes the account's.
        closed_at: When it was used, or replaced by a newer one of its kind.
    """

    id: str
    kind: LinkKind
    person_id: str
    email: str
    created_at: datetime
    closed_at: datetime | None = None

    @property
    def lifetime(self) -> timedelta:
        """How long it works."""
        return INVITATION_LIFETIME if self.kind is LinkKind.INVITE else LINK_LIFETIME

    def works(self, kind: LinkKind, *, now: datetime) -> bool:
        """Whether it opens what it is for."""
        return (
            self.closed_at is None
            and self.kind is kind
            and self.created_at <= now < self.created_at + self.lifetime
        )

    def close(self, *, at: datetime) -> Self:
        """Return the link as it opens nothing any more."""
        return replace(self, closed_at=self.closed_at or at)
