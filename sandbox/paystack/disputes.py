"""Disputes: a payer asks the bank for the money back. The control endpoint plays the bank."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.paystack.errors import PaystackError
from sandbox.paystack.instants import instant_text
from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.routing import json_answer

RESOLUTIONS = ("merchant-accepted", "auto-accepted", "declined")
TIME_TO_ANSWER = timedelta(days=1)
MAX_DISPUTES = 50_000


@dataclass(slots=True)
class Dispute:
    """One dispute of one transaction.

    Attributes:
        refund_amount: What the payer wants back, in subunits; None for all of it.
    """

    id: int
    transaction: Transaction
    refund_amount: int | None
    created_at: datetime
    status: str = "awaiting-merchant-feedback"
    resolution: str | None = None
    resolved_at: datetime | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def resolve(self, resolution: str) -> None:
        """Decide it; a lost one takes the money, and shows the transaction as reversed."""
        self.status, self.resolution = "resolved", resolution
        self.resolved_at = datetime.now(UTC)
        if resolution != "declined":
            self.transaction.status = "reversed"

    def as_shown(self) -> dict[str, Any]:
        """Return the dispute as the API and its events show it."""
        transaction = self.transaction.as_event()
        return {
            "id": self.id,
            "refund_amount": self.refund_amount,
            "currency": self.transaction.currency,
            "status": self.status,
            "resolution": self.resolution,
            "domain": "test",
            "transaction": transaction,
            "transaction_reference": None,
            "category": "chargeback",
            "customer": transaction["customer"],
            "bin": "408408",
            "last4": "4081",
            "dueAt": instant_text(self.created_at + TIME_TO_ANSWER),
            "resolvedAt": None if self.resolved_at is None else instant_text(self.resolved_at),
            "evidence": None,
            "attachments": None,
            "note": None,
            "history": self.history,
            "messages": [],
            "created_at": instant_text(self.created_at),
            "updated_at": instant_text(self.resolved_at or self.created_at),
        }


class Disputes:
    """Every dispute of this integration, oldest first."""

    def __init__(self, transactions: Transactions) -> None:
        """Start without disputes."""
        self._transactions = transactions
        self._disputes: dict[int, Dispute] = {}
        self._ids = itertools.count(358_950)

    def clear(self) -> None:
        """Forget all disputes; numbers go on."""
        self._disputes.clear()

    def find(self, dispute_id: int) -> Dispute | None:
        """Return a dispute by its number."""
        return self._disputes.get(dispute_id)

    def of(self, transaction: Transaction) -> list[Dispute]:
        """Return the disputes of a transaction."""
        return [row for row in self._disputes.values() if row.transaction is transaction]

    def open(self, transaction: Transaction, refund_amount: int | None) -> Dispute:
        """Begin a dispute."""
        dispute = Dispute(
            id=next(self._ids),
            transaction=transaction,
            refund_amount=refund_amount,
            created_at=datetime.now(UTC),
        )
        self._disputes[dispute.id] = dispute
        if len(self._disputes) > MAX_DISPUTES:
            del self._disputes[next(iter(self._disputes))]
        return dispute

    def listing(self, request: Request) -> Response:
        """Answer ``GET /dispute``."""
        wanted = request.args.get("status")
        rows = [row for row in self._disputes.values() if wanted in {None, "", row.status}]
        data = [row.as_shown() for row in rows[-100:]]
        meta = {"total": len(rows), "skipped": 0, "perPage": 100, "page": 1, "pageCount": 1}
        return json_answer(
            {"status": True, "message": "Disputes retrieved", "data": data, "meta": meta}
        )

    def fetch(self, dispute_id: int) -> Response:
        """Answer ``GET /dispute/:id``."""
        dispute = self.find(dispute_id)
        if dispute is None:
            raise PaystackError(404, "Dispute not found")
        return json_answer(
            {"status": True, "message": "Dispute retrieved", "data": dispute.as_shown()}
        )

    def of_transaction(self, transaction_id: int) -> Response:
        """Answer ``GET /dispute/transaction/:id`` with the latest dispute, as an object."""
        rows = [row for row in self._disputes.values() if row.transaction.id == transaction_id]
        if not rows:
            raise PaystackError(404, "Dispute not found")
        return json_answer(
            {"status": True, "message": "Dispute retrieved", "data": rows[-1].as_shown()}
        )
