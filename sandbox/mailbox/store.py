"""Mails as they were received, and the faults that a test asked for."""

from __future__ import annotations

import email
import email.policy
from collections import deque
from dataclasses import dataclass, field
from email.message import EmailMessage

MAX_MAILS = 500
"""Older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One mail.

    Attributes:
        number: Counts all mails of this process.
        recipients: The envelope's addresses, which decide where a mail goes.
        raw: The mail as sent.
    """

    number: int
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - what this policy makes
        return parsed

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return str(self.message.get(name, ""))

    def body(self, kind: str) -> str:
        """Return the part that is ``plain`` or ``html``, or nothing."""
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


@dataclass
class Mailbox:
    """All mail in one place.

    Attributes:
        refusals: What is said to each recipient with this address, as ``550 5.1.1 words``.
        is_down: Whether every connection is told to come back later.
    """

    mails: deque[StoredMail] = field(default_factory=lambda: deque(maxlen=MAX_MAILS))
    refusals: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    received: int = 0

    def add(self, recipients: tuple[str, ...], raw: bytes) -> None:
        """Keep a mail."""
        self.received += 1
        self.mails.append(StoredMail(self.received, recipients, raw))

    def find(self, number: int) -> StoredMail | None:
        """Return a mail that is kept."""
        return next((mail for mail in self.mails if mail.number == number), None)

    def to(self, address: str) -> list[StoredMail]:
        """Return the mails to an address, or all of them, newest first."""
        found = [mail for mail in self.mails if not address or address in mail.recipients]
        return found[::-1]

    def reset(self) -> None:
        """Forget every mail and every fault."""
        self.mails.clear()
        self.refusals.clear()
        self.is_down = False
