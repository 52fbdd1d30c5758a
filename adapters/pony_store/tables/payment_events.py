"""Webhooks in ``payment_events``, and those among them that are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, tuples

KIND_OF_PAID_BEFORE = "charge.success"
"""What processes of before migration 0007 write for a payment, until they are replaced."""

PAYMENT_EVENT_COLUMNS = (
    "digest",
    "kind",
    "name",
    "reference",
    "body",
    "received_at",
    "deliveries",
    "attempts",
    "due_at",
)

_COLUMNS = ", ".join(PAYMENT_EVENT_COLUMNS)


class PonyPaymentEvents:
    """Every authenticated webhook, kept for ever. Those that are due some time are the inbox."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, event: PaymentEvent) -> PaymentEvent:
        values = payment_event_values(event)
        [row] = self._session.rows(
            f"INSERT INTO payment_events ({_COLUMNS}) VALUES {tuples([values])}"
            " ON CONFLICT (digest) DO UPDATE SET deliveries = payment_events.deliveries + 1"
            f" RETURNING {_COLUMNS}",
            values,
        )
        return payment_event_from_row(row)

    def lock_due(self, *, now: datetime) -> PaymentEvent | None:
        """Return the event that has been due for longest, locked until the transaction ends.

        What another transaction has locked is passed over: any number may look at once, and
        none waits for another.
        """
        row_lock = self._session.engine.row_lock
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM payment_events WHERE due_at <= ?"
            f" ORDER BY due_at, digest LIMIT 1{row_lock and row_lock + ' SKIP LOCKED'}",
            (micros(now),),
        )
        return payment_event_from_row(rows[0]) if rows else None

    def complete(self, *, received_before: datetime, limit: int) -> Sequence[PaymentEvent]:
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM payment_events WHERE reduced_at IS NULL AND due_at IS NULL"
            " AND received_at < ? ORDER BY received_at LIMIT ?",
            (micros(received_before), limit),
        )
        return [payment_event_from_row(row) for row in rows]

    def reduce(self, digest: str, *, body: str, at: datetime) -> None:
        self._session.change(
            "UPDATE payment_events SET body = ?, reduced_at = ? WHERE digest = ?",
            (body, micros(at), digest),
        )

    def save(self, event: PaymentEvent) -> None:
        self._session.change(
            "UPDATE payment_events SET attempts = ?, due_at = ? WHERE digest = ?",
            (event.attempts, micros_or_none(event.due_at), event.digest),
        )


def payment_event_values(event: PaymentEvent) -> tuple[object, ...]:
    """Return a row of ``payment_events``."""
    return (
        event.digest,
        event.kind.value,
        event.name,
        event.reference,
        event.body,
        micros(event.received_at),
        event.deliveries,
        event.attempts,
        micros_or_none(event.due_at),
    )


def payment_event_from_row(row: Any) -> PaymentEvent:
    """Return the webhook of a row."""
    return PaymentEvent(
        digest=row.digest,
        kind=_event_kind(row.kind),
        name=row.name,
        reference=row.reference,
        body=row.body,
        received_at=instant(row.received_at),
        deliveries=row.deliveries,
        attempts=row.attempts,
        due_at=instant_or_none(row.due_at),
    )


def _event_kind(text: str) -> EventKind:
    if text == KIND_OF_PAID_BEFORE:
        return EventKind.PAID
    return EventKind(text) if text in set(EventKind) else EventKind.OTHER
