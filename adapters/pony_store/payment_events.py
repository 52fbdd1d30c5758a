"""Webhooks in ``payment_events``."""

from __future__ import annotations

from adapters.pony_store.mapping import micros
from adapters.pony_store.session import Session
from creditcore.ports.payment_events import PaymentEvent


class PonyPaymentEvents:
    """Every authenticated webhook, kept for ever."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, event: PaymentEvent) -> bool:
        """Keep an event; whether it is new. A repeated delivery is counted, not kept twice."""
        [row] = self._session.rows(
            "INSERT INTO payment_events (digest, kind, reference, body, received_at, deliveries)"
            " VALUES (?, ?, ?, ?, ?, 1)"
            " ON CONFLICT (digest) DO UPDATE SET deliveries = payment_events.deliveries + 1"
            " RETURNING deliveries",
            (event.digest, event.kind, event.reference, event.body, micros(event.received_at)),
        )
        return bool(row.deliveries == 1)
