"""Signing and sending, by the specification of Standard Webhooks (symmetric, ``v1``).

The signature is over ``id.timestamp.body``; the receiver compares it, and the timestamp with its
clock, and takes a repeat of an id for one message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests

from creditcore.domain.errors import AlertsUndeliveredError
from creditcore.ports.clock import Clock

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
MIN_SECRET_BYTES = 24


def secret_bytes(secret: str) -> bytes:
    """Read a secret: ``whsec_`` and at least 24 bytes in Base64.

    Raises:
        ValueError: It is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("whsec_ and Base64") from error
    if not secret.startswith(SECRET_PREFIX) or len(key) < MIN_SECRET_BYTES:
        raise ValueError(f"whsec_ and at least {MIN_SECRET_BYTES} bytes in Base64")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhook:
    """One address that is told.

    Attributes:
        url: Where messages go; redirects are not followed.
        secret: ``whsec_`` and Base64, known to the receiver.
        timeout_s: How long the receiver may take, to connect and to answer.
    """

    url: str
    secret: str = field(repr=False)
    clock: Clock
    timeout_s: float = 10.0

    def send(self, message_id: str, event: Mapping[str, object]) -> None:
        """Sign a message and deliver it.

        Raises:
            AlertsUndeliveredError: It was not taken; any status but 2xx counts as that.
        """
        body = json.dumps(event, separators=(",", ":")).encode()
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self.url,
                    data=body,
                    headers=signed_headers(self.secret, message_id, body, at=self.clock.now()),
                    timeout=self.timeout_s,
                    allow_redirects=False,
                    stream=True,
                )
                answer.close()
        except requests.RequestException as error:
            raise AlertsUndeliveredError("The alert webhook cannot be reached.") from error
        if not answer.ok or answer.is_redirect:
            raise AlertsUndeliveredError(f"The alert webhook answered {answer.status_code}.")


def signed_headers(secret: str, message_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """Return what goes with a body, so that its receiver can believe it."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(secret_bytes(secret), signed, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
