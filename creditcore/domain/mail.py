"""Mails, and the people they go to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from creditcore.domain.errors import InvalidRequestError

MAX_MAILS_AN_HOUR = 20
"""To one address. More are of no use, and a form could be used to flood a stranger."""

MAX_SUBJECT_LENGTH = 200

# What needs no quoting in a header or an SMTP command (RFC 5321, dot-string). Quoted addresses
# are legal, unknown to people, and a way to smuggle a second recipient in.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HOUR = timedelta(hours=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """What a mail says, in both of its forms."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one person.

    Attributes:
        id: The same for each attempt to send it, so that a mailbox can tell a repeat.
        to: One address, in the form that ``clean_email`` returns.

    Raises:
        InvalidRequestError: The address needs quoting, or a header has a line break in it.
    """

    id: str
    to: str
    content: MailContent

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.to) or _CONTROL.search(self.to):
            raise InvalidRequestError("No mail can be sent to this address.", param="email")
        subject = self.content.subject
        if not subject.strip() or _CONTROL.search(subject) or len(subject) > MAX_SUBJECT_LENGTH:
            raise InvalidRequestError("A subject is one line of text.", param="subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecipient:
    """How much mail goes to an address, and whether its server takes any.

    Attributes:
        hour_began_at: When the hour began in which mails are counted.
        mails_in_hour: How many were enqueued in it.
        refusal: The server's words when it refused the address for good; else empty.
        refused_at: When it did.
    """

    address: str
    hour_began_at: datetime = _LONG_AGO
    mails_in_hour: int = 0
    refusal: str = ""
    refused_at: datetime | None = None

    def has_room(self, now: datetime) -> bool:
        """Whether another mail may go there now."""
        if self.refused_at is not None:
            return False
        return self.mails_in_hour < MAX_MAILS_AN_HOUR or now - self.hour_began_at >= _HOUR

    def count(self, now: datetime) -> Self:
        """Return the recipient with one more mail."""
        if now - self.hour_began_at >= _HOUR:
            return replace(self, hour_began_at=now, mails_in_hour=1)
        return replace(self, mails_in_hour=self.mails_in_hour + 1)

    def refuse(self, reason: str, *, at: datetime) -> Self:
        """Return the recipient as suppressed."""
        return replace(self, refusal=reason, refused_at=at)

    def release(self) -> Self:
        """Return the recipient as one to whom mails go again."""
        return replace(self, refusal="", refused_at=None)
