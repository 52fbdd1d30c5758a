"""Signed messages to addresses that people chose, never into the operator's own network.

A name is resolved once, every address of it is looked at, and the connection goes to one of
those: a name that answers otherwise the second time leads nowhere else. Redirects are not
followed, no proxy is asked, and of the answer nothing but its status is read.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from adapters.webhooks.sender import signed_headers
from creditcore.domain.errors import InvalidRequestError, WebhookUndeliveredError
from creditcore.ports.clock import Clock

MAX_URL_LENGTH = 500
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicWebhooks:
    """Sends to the public internet, by HTTPS.

    Attributes:
        anywhere: Whether plain HTTP and private addresses are fine too, as in development.
        timeout_s: How long a receiver may take, to connect and to answer.
    """

    clock: Clock
    anywhere: bool = False
    timeout_s: float = 10.0

    def check(self, url: str) -> None:
        """See whether something could be sent there, as far as the address itself tells."""
        self._parts(url)

    def send(self, url: str, secret: str, message_id: str, event: Mapping[str, object]) -> None:
        """Sign a message and deliver it."""
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = signed_headers(secret, message_id, body, at=self.clock.now())
        try:
            status = self._post(self._parts(url), body, headers)
        except InvalidRequestError as error:
            raise WebhookUndeliveredError(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise WebhookUndeliveredError("The webhook's address cannot be reached.") from error
        if not 200 <= status < 300:
            raise WebhookUndeliveredError(f"The webhook's address answered {status}.")

    def _post(self, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        sock = socket.create_connection((self._address_of(host, port), port), self.timeout_s)
        connection = http.client.HTTPConnection(host, port, timeout=self.timeout_s)
        try:
            if parts.scheme == "https":
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
            connection.sock = sock
            path = parts.path or "/"
            connection.request(
                "POST",
                f"{path}?{parts.query}" if parts.query else path,
                body,
                {"user-agent": "creditcore", "host": parts.netloc, **headers},
            )
            return connection.getresponse().status
        finally:
            sock.close()
            connection.close()

    def _address_of(self, host: str, port: int) -> str:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(address[0]) for *_, address in found]
        if not self.anywhere and not all(map(_is_public, addresses)):
            raise WebhookUndeliveredError(f"{host} is not on the public internet.")
        return addresses[0]

    def _parts(self, url: str) -> SplitResult:
        schemes = ("http", "https") if self.anywhere else ("https",)
        refusal = InvalidRequestError(
            "A webhook is an address such as https://example.com/hook, without a password.",
            param="stop_webhook",
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise refusal from None
        is_plain = url.isascii() and url.isprintable() and " " not in url
        is_open = parts.username is None and not parts.fragment and port != 0
        is_known = parts.scheme in schemes and bool(parts.hostname)
        if not (is_plain and is_open and is_known and len(url) <= MAX_URL_LENGTH):
            raise refusal
        return parts


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast
