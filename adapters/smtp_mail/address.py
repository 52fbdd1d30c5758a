"""The address of a mail server, as ``MAIL_URL`` has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

_DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails are handed over, and how.

    Attributes:
        scheme: ``smtp`` without encryption, ``smtps`` encrypted from the first byte,
            ``smtp+starttls`` encrypted before anything else is said.
        user: Empty where the server takes mail from all who reach it.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an address such as ``smtp+starttls://user:password@mail.example:587``.

        Reserved characters in user and password are percent-encoded.

        Raises:
            ValueError: It is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("a mail server is smtp://, smtps:// or smtp+starttls://")
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("a mail server has a host, perhaps a port, and nothing behind it")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )
