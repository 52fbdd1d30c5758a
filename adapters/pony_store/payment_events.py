"""Webhooks in ``payment_events``, and those among them that are due."""

from __future__ import annotations

from datetime import datetime

from adapters.pony_store.mapping import (
    PAYMENT_EVENT_COLUMNS,
    micros,
    micros_or_none,
    payment_event_from_row,
    payment_event_values,
)
from adapters.pony_store.session import Session, tuples
from creditcore.ports.payment_events import PaymentEvent

_COLUMNS = ", ".join(PAYMENT_EVENT_COLUMNS)


class PonyPaymentEvents:
    """Every authenticated webhook, kept for ever. Those that are due some time are the inbox."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, event: PaymentEvent) -> PaymentEvent:
        """Keep an event, and return it as it is kept, locked until the transaction ends.

        A repeated delivery is counted, and changes nothing else.
        """
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

        What somebody else has locked is passed over: any number may look at once, and
        none waits for another.
        """
        row_lock = self._session.engine.row_lock
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM payment_events WHERE due_at <= ?"
            f" ORDER BY due_at, digest LIMIT 1{row_lock and row_lock + ' SKIP LOCKED'}",
            (micros(now),),
        )
        return payment_event_from_row(rows[0]) if rows else None

    def save(self, event: PaymentEvent) -> None:
        """Write how often an event was tried, and when it is due."""
        self._session.change(
            "UPDATE payment_events SET attempts = ?, due_at = ? WHERE digest = ?",
            (event.attempts, micros_or_none(event.due_at), event.digest),
        )
