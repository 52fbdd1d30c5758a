"""Hand mails to an SMTP server (RFC 5321), each on a connection of its own."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from adapters.smtp_mail.address import MailServer
from creditcore.domain.errors import MailRefusedError, MailUnavailableError
from creditcore.domain.mail import Mail
from creditcore.ports.clock import Clock

TIMEOUT_S = 15.0
"""How long the server may take for each answer."""

# RFC 3463: 5.1.x is about the address, 5.2.1 about a mailbox that takes no more messages.
# Others, such as 5.7.1, are about us, or may pass: a relay that is set up wrongly refuses
# all mail, and must not suppress all addresses.
_OF_ADDRESS = re.compile(r"\b5\.(1\.\d{1,3}|2\.1)\b")
_ENHANCED = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_OF_ADDRESS_PLAIN = {550, 551, 553}
_RELAY = re.compile(r"relay|denied|blocked|spam|policy|authenticat", re.IGNORECASE)

_FAULTS = (smtplib.SMTPException, OSError, ssl.SSLError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMailer:
    """Sends from one address, through one server.

    Attributes:
        sender: ``Name <address>``, or an address alone.
        site: What the server is told that we are: a host name.
        tls: Whom to believe; the machine's authorities if left out.
    """

    server: MailServer
    sender: str
    site: str
    clock: Clock
    timeout_s: float = TIMEOUT_S
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send(self, mail: Mail) -> None:
        message = self._message(mail)
        with self._connected() as connection:
            try:
                connection.send_message(message, from_addr=self._from.addr_spec, to_addrs=[mail.to])
            except smtplib.SMTPRecipientsRefused as error:
                [(code, words)] = error.recipients.values()
                raise _refusal(code, _text(words)) from error
            except smtplib.SMTPNotSupportedError as error:
                # An address beyond ASCII, at a server that cannot take one.
                raise MailRefusedError(str(error)) from error

    def check(self) -> None:
        with self._connected() as connection:
            connection.noop()

    @property
    def _from(self) -> Address:
        name, address = parseaddr(self.sender)
        return Address(display_name=name, addr_spec=address)

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        # A line break in a header raises ValueError here; Mail refused it before.
        message["From"] = self._from
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.content.subject
        message["Date"] = format_datetime(self.clock.now())
        # The same for each attempt: a mailbox that gets the mail twice shows it once.
        message["Message-ID"] = f"<{mail.id}@{self._from.domain}>"
        # No person answers to it, and no out-of-office note should either (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.content.text)
        message.add_alternative(mail.content.html, subtype="html")
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            connection = self._connect()
        except _FAULTS as error:
            raise MailUnavailableError(f"The mail server {self._said(error)}") from error
        try:
            yield connection
        except _FAULTS as error:
            raise MailUnavailableError(f"The mail server {self._said(error)}") from error
        finally:
            with suppress(*_FAULTS):
                connection.quit()
            connection.close()

    def _connect(self) -> smtplib.SMTP:
        server = self.server
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, self.site, timeout=self.timeout_s, context=self.tls()
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, self.site, timeout=self.timeout_s)
        try:
            if server.scheme == "smtp+starttls":
                # Raises where the server offers none: nothing is ever said in clear text.
                connection.starttls(context=self.tls())
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _said(self, error: Exception) -> str:
        """Return what went wrong, without what we sent: it may be a password."""
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return "does not accept our user name and password."
        if isinstance(error, smtplib.SMTPResponseException):
            return f"said: {error.smtp_code} {_text(error.smtp_error)}"
        if isinstance(error, TimeoutError):
            return f"did not answer within {self.timeout_s:g} seconds."
        return f"cannot be used: {type(error).__name__}."


def _refusal(code: int, words: str) -> MailRefusedError | MailUnavailableError:
    """Tell whether an address is refused for good, from what its server said."""
    said = f"{code} {words}"
    if _ENHANCED.search(words):
        is_final = code >= 500 and bool(_OF_ADDRESS.search(words))
    else:
        is_final = code in _OF_ADDRESS_PLAIN and not _RELAY.search(words)
    if is_final:
        return MailRefusedError(said)
    return MailUnavailableError(f"The mail server said: {said}")


def _text(words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return " ".join(text.split())
