"""A person who has a wallet here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
        blocked: A blocked person cannot sign in. Their keys are revoked one by one.
    """

    id: str
    email: str
    created_at: datetime
    role: Role = Role.USER
    blocked: bool = False


def clean_email(text: str) -> str:
    """Return an e-mail address in the one form that is stored.

    Raises:
        InvalidRequestError: It cannot be an address.
    """
    email = text.strip().lower()
    if len(email) > _MAX_EMAIL_LENGTH or ".." in email or not _EMAIL.fullmatch(email):
        raise InvalidRequestError("This is not an e-mail address.", param="email")
    return email
