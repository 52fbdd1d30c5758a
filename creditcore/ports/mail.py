"""E-mail: the words, the way out, and what is known of each address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from creditcore.domain.mail import Mail, MailContent, MailRecipient


class MailTemplates(Protocol):
    """What our mails say."""

    def render(self, template: str, values: Mapping[str, object]) -> MailContent:
        """Return a mail's subject, text and HTML. Values never become markup or a header.

        Raises:
            MailTemplateError: There is no such template, or it needs a value that is missing.
        """


class Mailer(Protocol):
    """Hands mails to a server."""

    def send(self, mail: Mail) -> None:
        """Hand over a mail. Returning means that the server has taken it.

        Raises:
            MailRefusedError: There is no such mailbox; it would be refused again.
            MailUnavailableError: It was not taken, now; it may have been, where the
                connection broke at the end.
        """

    def check(self) -> None:
        """Connect and sign in without sending anything.

        Raises:
            MailUnavailableError: The server is away, or does not let us in.
        """


class MailRecipients(Protocol):
    """What is known of the addresses that mails went to."""

    def lock(self, address: str) -> MailRecipient:
        """Return what is known of an address, locked until the transaction ends."""

    def save(self, recipient: MailRecipient) -> None:
        """Write what is known of an address that is locked."""

    def refused(self, *, limit: int) -> Sequence[MailRecipient]:
        """Return suppressed addresses, the latest first."""
