"""Webhooks of the payment provider, as received, and which of them wait to be acted upon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """One authenticated webhook.

    Attributes:
        digest: SHA-256 of the body in hex: the provider sends no event id.
        kind: The provider's name of the event; empty where the body cannot be read.
        reference: The payment it speaks of; empty where it names none.
        body: The exact text that was signed.
        deliveries: How often it came.
        attempts: How often somebody has set about acting upon it.
        due_at: When the next may; None where nothing is left to be done.
    """

    digest: str
    kind: str
    reference: str
    body: str
    received_at: datetime
    deliveries: int = 1
    attempts: int = 0
    due_at: datetime | None = None


class PaymentEvents(Protocol):
    """Every authenticated webhook, kept for ever. Those that are due some time are the inbox."""

    def record(self, event: PaymentEvent) -> PaymentEvent:
        """Keep an event, and return it as it is kept, locked until the transaction ends.

        A repeated delivery is counted, and changes nothing else.
        """

    def lock_due(self, *, now: datetime) -> PaymentEvent | None:
        """Return the event that has been due for longest, locked until the transaction ends.

        What somebody else has locked is passed over: any number may look at once, and
        none waits for another.
        """

    def save(self, event: PaymentEvent) -> None:
        """Write how often an event was tried, and when it is due."""
