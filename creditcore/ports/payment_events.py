"""Webhooks of the payment provider, as received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """One authenticated webhook.

    Attributes:
        digest: SHA-256 of the body in hex: the provider sends no event id.
        kind: The provider's name of the event.
        reference: The payment it speaks of; empty where it names none.
        body: The exact text that was signed.
    """

    digest: str
    kind: str
    reference: str
    body: str
    received_at: datetime


class PaymentEvents(Protocol):
    """Every authenticated webhook, kept for ever."""

    def record(self, event: PaymentEvent) -> bool:
        """Keep an event; whether it is new. A repeated delivery is counted, not kept twice."""
