"""Webhook events: signed, delivered, retried, listed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import itertools
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson

from sandbox.paystack.quirks import Quirk
from sandbox.paystack.settings import Settings
from sandbox.paystack.transactions import Transaction

# Enough to look back on a whole test run, and no more.
MAX_DELIVERIES = 10_000

DUPLICATES = 3


@dataclass(slots=True)
class Delivery:
    """One attempt to hand over one event.

    Attributes:
        status: The receiver's HTTP status; None before an answer, or without one.
        error: Why there was no answer.
    """

    id: int
    event: str
    reference: str
    url: str
    attempt: int
    signature: str
    body: str
    sent_at: float
    status: int | None = None
    error: str | None = None
    answered_at: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver took the event; only 200 counts."""
        return self.status == HTTPStatus.OK


class Webhooks:
    """The sender of events."""

    def __init__(self, secret_key: str, settings: Settings) -> None:
        """Take the key that signs, and the settings, which may change at any time."""
        self._secret_key = secret_key.encode()
        self._settings = settings
        self._deliveries: deque[Delivery] = deque(maxlen=MAX_DELIVERIES)
        self._ids = itertools.count(1)

    def announce(self, transaction: Transaction) -> None:
        """Tell the merchant of a successful payment, in the background, as its quirks want it."""
        if Quirk.NO_WEBHOOK in transaction.quirks or not self._settings.webhook_url:
            return
        copies = DUPLICATES if Quirk.DUPLICATE in transaction.quirks else 1
        delay_s = self._settings.late_webhook_s if Quirk.LATE_WEBHOOK in transaction.quirks else 0.0
        senders = [
            threading.Thread(
                target=self._deliver_until_accepted, args=(transaction, delay_s), daemon=True
            )
            for _ in range(copies)
        ]
        for sender in senders:
            sender.start()
        if Quirk.FIRST_WEBHOOK in transaction.quirks:
            for sender in senders:
                sender.join(self._settings.webhook_timeout_s)

    def send(self, event: str, transaction: Transaction, data: dict[str, Any]) -> None:
        """Tell the merchant of something about a payment, in the background, until it is taken."""
        if Quirk.NO_WEBHOOK in transaction.quirks or not self._settings.webhook_url:
            return
        body = orjson.dumps({"event": event, "data": data})
        copies = DUPLICATES if Quirk.DUPLICATE in transaction.quirks else 1
        for _ in range(copies):
            threading.Thread(
                target=self._send_until_accepted,
                args=(transaction.reference, body, 0.0),
                daemon=True,
            ).start()

    def send_again(self, transaction: Transaction, *, times: int, tampered: bool) -> list[Delivery]:
        """Send the event of a transaction some times at once, and return when all are answered."""
        body = _event_of(transaction)
        deliveries: list[Delivery] = []

        def send() -> None:
            deliveries.append(self._send(transaction.reference, body, attempt=1, tampered=tampered))

        senders = [threading.Thread(target=send, daemon=True) for _ in range(times)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        return deliveries

    def send_backwards(self, transaction: Transaction) -> None:
        """Send every event of a transaction again, the newest first, each after the other."""
        reference = transaction.reference
        bodies = [row.body for row in self._deliveries if row.reference == reference]
        for body in reversed(dict.fromkeys(bodies)):
            self._send(reference, body.encode(), attempt=1)

    def deliveries(self, reference: str | None = None) -> list[dict[str, Any]]:
        """Return the attempts so far, oldest first, of all events or of one transaction's."""
        return [
            asdict(delivery)
            for delivery in self._deliveries
            if reference in {None, delivery.reference}
        ]

    def clear(self) -> None:
        """Forget the attempts so far."""
        self._deliveries.clear()

    def _deliver_until_accepted(self, transaction: Transaction, delay_s: float) -> None:
        # The bytes are fixed now: a retry repeats the event as it was, whatever happened since.
        self._send_until_accepted(transaction.reference, _event_of(transaction), delay_s)

    def _send_until_accepted(self, reference: str, body: bytes, delay_s: float) -> None:
        for attempt, pause_s in enumerate((delay_s, *self._settings.retry_delays_s), start=1):
            time.sleep(pause_s)
            if self._send(reference, body, attempt=attempt).accepted:
                return

    def _send(
        self, reference: str, body: bytes, *, attempt: int, tampered: bool = False
    ) -> Delivery:
        event = str(orjson.loads(body)["event"])
        signature = hmac.new(self._secret_key, body, hashlib.sha512).hexdigest()
        if tampered:
            body = body.replace(b'"event":"charge.success"', b'"event": "charge.success"')
        delivery = Delivery(
            id=next(self._ids),
            event=event,
            reference=reference,
            url=self._settings.webhook_url or "",
            attempt=attempt,
            signature=signature,
            body=body.decode(),
            sent_at=time.time(),
        )
        self._deliveries.append(delivery)
        try:
            delivery.status = _post(
                delivery.url, body, signature, timeout_s=self._settings.webhook_timeout_s
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            delivery.error = f"{type(error).__name__}: {error}"
        delivery.answered_at = time.time()
        return delivery


def _event_of(transaction: Transaction) -> bytes:
    """Return the event's exact bytes: compact JSON, which the signature covers."""
    return orjson.dumps({"event": "charge.success", "data": transaction.as_event()})


def _post(url: str, body: bytes, signature: str, *, timeout_s: float) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    headers = {
        "content-type": "application/json",
        "x-paystack-signature": signature,
        "user-agent": "Paystack/2.0",
    }
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
