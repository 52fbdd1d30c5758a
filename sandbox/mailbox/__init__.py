"""A stand-in of a mail server, and a page that shows what it was given."""

from __future__ import annotations

from sandbox.mailbox.control import MailboxControl
from sandbox.mailbox.page import MailboxPage
from sandbox.mailbox.smtp import SmtpServer
from sandbox.mailbox.store import Mailbox

__all__ = ["Mailbox", "MailboxControl", "MailboxPage", "SmtpServer"]
