"""Mails: sent by SMTP where there is a server, and kept to be read either way."""

from __future__ import annotations

import smtplib
import uuid
from collections import deque
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from sandbox.supabase.accounts import Secret

MAX_KEPT = 1000
SENDER = "Sandbox project <no-reply@sandbox.example>"

_SUBJECTS = {
    "signup": "Confirm your e-mail address",
    "invite": "You have been invited",
    "recovery": "Choose a new password",
    "magiclink": "Your link to sign in",
    "email_change": "Confirm your new e-mail address",
    "reauthentication": "Your code",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail.

    Attributes:
        type: What ``{{ .Type }}`` would be: ``signup``, ``recovery``, ...
        token_hash: What the link carries.
        token: The code.
        link: The whole link, of the template that docs/operating.md asks for.
    """

    to: str
    type: str
    subject: str
    token_hash: str
    token: str
    link: str
    text: str


class Outbox:
    """Writes mails by the project's templates."""

    def __init__(self, smtp: tuple[str, int] | None) -> None:
        """Take where mails are handed over; None keeps them here only."""
        self._smtp = smtp
        self._sent: deque[Mail] = deque(maxlen=MAX_KEPT)
        self.count = 0

    def clear(self) -> None:
        """Forget every mail."""
        self._sent.clear()
        self.count = 0

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return what was sent, the newest first."""
        return [asdict(mail) for mail in reversed(self._sent) if to in {None, mail.to}]

    def send(self, kind: str, to: str, secret: Secret, *, site_url: str, redirect_to: str) -> None:
        """Send one mail."""
        query = {"token_hash": secret.hash, "type": kind, "redirect_to": redirect_to}
        link = f"{site_url.rstrip('/')}/auth/confirm?{urlencode(query)}"
        text = f"Your code: {secret.code}\n"
        if kind != "reauthentication":
            text = f"Open this link:\n\n{link}\n\n{text}"
        mail = Mail(to, kind, _SUBJECTS[kind], secret.hash, secret.code, link, text)
        self._sent.append(mail)
        self.count += 1
        if self._smtp is not None:
            self._hand_over(mail)

    def _hand_over(self, mail: Mail) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = SENDER, mail.to, mail.subject
        message["Message-ID"] = f"<{uuid.uuid4()}@sandbox.example>"
        message.set_content(mail.text)
        host, port = self._smtp or ("", 0)
        with smtplib.SMTP(host, port, timeout=5) as server:
            server.send_message(message)
