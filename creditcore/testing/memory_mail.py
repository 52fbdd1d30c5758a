"""In-memory adapters for mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from creditcore.domain.errors import CreditcoreError
from creditcore.domain.mail import Mail, MailContent, MailRecipient


@dataclass
class MemoryMailRecipients:
    """What is known of addresses."""

    table: dict[str, MailRecipient]

    def lock(self, address: str) -> MailRecipient:
        return self.table.get(address, MailRecipient(address=address))

    def save(self, recipient: MailRecipient) -> None:
        self.table[recipient.address] = recipient

    def refused(self, *, limit: int) -> Sequence[MailRecipient]:
        found = [
            (recipient.refused_at, recipient)
            for recipient in self.table.values()
            if recipient.refused_at
        ]
        found.sort(key=lambda pair: (pair[0], pair[1].address), reverse=True)
        return [recipient for _, recipient in found[:limit]]


@dataclass
class MemoryMailer:
    """A mail server that keeps what it is given.

    Attributes:
        sent: Mails by id, as a mailbox shows them: a repeat is one mail.
        faults: What it raises instead, by address.
    """

    sent: dict[str, Mail] = field(default_factory=dict)
    faults: dict[str, CreditcoreError] = field(default_factory=dict)

    def send(self, mail: Mail) -> None:
        """Keep a mail."""
        if mail.to in self.faults:
            raise self.faults[mail.to]
        self.sent[mail.id] = mail

    def check(self) -> None:
        """It is always there."""


class PlainTemplates:
    """Mails that say their template's name and their values."""

    def render(self, template: str, values: Mapping[str, object]) -> MailContent:
        text = "\n".join(f"{name}: {value}" for name, value in values.items())
        return MailContent(subject=template, text=text, html=f"<pre>{len(text)}</pre>")
