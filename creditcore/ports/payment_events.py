"""Webhooks of the payment provider, as received, and which of them wait to be processed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from creditcore.ports.payments import EventKind

# Longer than the provider takes to answer, or we to give up on it.
_FIRST_PAUSE = timedelta(minutes=1)
_MAX_PAUSE = timedelta(hours=1)
_MAX_DOUBLINGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """One authenticated webhook.

    Attributes:
        digest: SHA-256 of the body in hex: the provider sends no event id.
        kind: What the event means to us.
        name: The provider's name of the event; empty where the body cannot be read.
        reference: The payment it speaks of; empty where it names none.
        body: The exact text that was signed; after a time only what the books need of it.
        deliveries: How often it came.
        attempts: How many times processing was started.
        due_at: When the next attempt may start; None where nothing is left to be done.
    """

    digest: str
    kind: EventKind
    name: str
    reference: str
    body: str
    received_at: datetime
    deliveries: int = 1
    attempts: int = 0
    due_at: datetime | None = None

    def claim(self, now: datetime) -> Self:
        """Return the event with one more attempt, due again after a pause.

        The pause keeps other workers away; it doubles with each attempt, up to an hour.
        """
        doublings = min(self.attempts, _MAX_DOUBLINGS)
        pause = min(_FIRST_PAUSE * 2**doublings, _MAX_PAUSE)
        return replace(self, attempts=self.attempts + 1, due_at=now + pause)


class PaymentEvents(Protocol):
    """Every authenticated webhook. Those with a due time are the inbox."""

    def record(self, event: PaymentEvent) -> PaymentEvent:
        """Store an event, and return it as it is stored, locked until the transaction ends.

        A repeated delivery is counted, and changes nothing else.
        """

    def lock_due(self, *, now: datetime) -> PaymentEvent | None:
        """Return the event that has been due for longest, locked until the transaction ends.

        Events that another transaction has locked are skipped: any number of workers may
        look at once, and none waits for another.
        """

    def complete(self, *, received_before: datetime, limit: int) -> Sequence[PaymentEvent]:
        """Return events that are done and still have all they came with, oldest first."""

    def reduce(self, digest: str, *, body: str, at: datetime) -> None:
        """Replace the body of an event by what is left of it; it is not ``complete`` any more."""

    def save(self, event: PaymentEvent) -> None:
        """Write how often an event was tried, and when it is due."""
