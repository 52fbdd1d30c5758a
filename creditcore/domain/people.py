"""A person who has a wallet here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import InvalidRequestError

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_MAX_EMAIL_LENGTH = 254
_FORGOTTEN_DOMAIN = "deleted.invalid"
_MAX_NAME_LENGTH = 80


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
        name: How they want to be called; empty if they did not say.
        timezone: The IANA name of the zone that their days are cut in; empty if unknown.
        shown_currency: What money is shown in beside US dollars; empty for nothing else.
        subject: The identity provider's id of them, where it is not ``id``: they had an account
            there before the two were joined.
        buyer: What they want on receipts beside their name.
    """

    id: str
    email: str
    created_at: datetime
    role: Role = Role.USER
    blocked: bool = False
    session_epoch: int = 0
    name: str = ""
    timezone: str = ""
    shown_currency: str = ""
    subject: str = ""
    buyer: BuyerDetails = field(default_factory=BuyerDetails)

    @property
    def provider_subject(self) -> str:
        """What the identity provider calls them."""
        return self.subject or self.id

    @property
    def zone(self) -> tzinfo:
        """The zone that their days are cut in: UTC where it is unknown."""
        return zone_named(self.timezone)

    @property
    def is_gone(self) -> bool:
        """Whether the account was closed by its owner, and opens no more."""
        return self.email.endswith(f"@{_FORGOTTEN_DOMAIN}")

    def leave(self) -> Self:
        """Return the person as gone: without an address or a buyer's details, and blocked."""
        email = f"{self.id}@{_FORGOTTEN_DOMAIN}"
        return replace(self.block(), email=email, buyer=BuyerDetails())

    def block(self) -> Self:
        """Return the person as they may neither sign in nor go on with an open session."""
        return replace(self.end_sessions(), blocked=True)

    def unblock(self) -> Self:
        """Return the person as they may sign in again."""
        return replace(self, blocked=False)

    def end_sessions(self) -> Self:
        """Return the person as no session that began before is theirs any more."""
        return replace(self, session_epoch=self.session_epoch + 1)


def zone_named(name: str) -> tzinfo:
    """Return a zone by its IANA name, or UTC where there is none of that name."""
    return ZoneInfo(name) if name in zone_names() else UTC


@cache
def zone_names() -> frozenset[str]:
    """Return the IANA names of the zones that there are."""
    return frozenset(available_timezones())


def clean_timezone(text: str) -> str:
    """Return the name of a zone as it is stored; empty text is no choice.

    Raises:
        InvalidRequestError: There is no such zone.
    """
    if text and text not in zone_names():
        raise InvalidRequestError("Choose a time zone from the list.", param="timezone")
    return text


def clean_name(text: str) -> str:
    """Return a person's name in the one form that is stored.

    Raises:
        InvalidRequestError: It is too long, or has characters that cannot be printed.
    """
    name = " ".join(text.split())
    if len(name) > _MAX_NAME_LENGTH or not all(map(str.isprintable, name)):
        raise InvalidRequestError(
            f"A name has at most {_MAX_NAME_LENGTH} characters.", param="name"
        )
    return name


def clean_email(text: str) -> str:
    """Return an e-mail address in the one form that is stored.

    Raises:
        InvalidRequestError: It cannot be an address.
    """
    email = text.strip().lower()
    if len(email) > _MAX_EMAIL_LENGTH or ".." in email or not _EMAIL.fullmatch(email):
        raise InvalidRequestError("This is not an e-mail address.", param="email")
    return email


def masked_email(email: str) -> str:
    """Return an address that its owner knows again and no mail reaches: ``a…@example.com``.

    What is kept for ever holds no address: an account that is closed has its own forgotten.
    """
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
