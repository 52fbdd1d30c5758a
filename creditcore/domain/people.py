"""A person who has a wallet here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from creditcore.domain.errors import InvalidRequestError

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_MAX_EMAIL_LENGTH = 254


class Role(StrEnum):
    """What a person may do beyond their own account."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A profile.

    Attributes:
        id: UUID text; the identity provider's where it has one.
        email: In lower case.
        blocked: A blocked person cannot sign in, and has no key that opens anything.
        session_epoch: How often all sessions of this person have been ended. A session is
            good for the epoch in which it began.
    """

    id: str
    email: str
    created_at: datetime
    role: Role = Role.USER
    blocked: bool = False
    session_epoch: int = 0

    def block(self) -> Self:
        """Return the person as they may neither sign in nor go on with an open session."""
        return replace(self.end_sessions(), blocked=True)

    def unblock(self) -> Self:
        """Return the person as they may sign in again."""
        return replace(self, blocked=False)

    def end_sessions(self) -> Self:
        """Return the person as no session that began before is theirs any more."""
        return replace(self, session_epoch=self.session_epoch + 1)


def clean_email(text: str) -> str:
    """Return an e-mail address in the one form that is stored.

    Raises:
        InvalidRequestError: It cannot be an address.
    """
    email = text.strip().lower()
    if len(email) > _MAX_EMAIL_LENGTH or ".." in email or not _EMAIL.fullmatch(email):
        raise InvalidRequestError("This is not an e-mail address.", param="email")
    return email
