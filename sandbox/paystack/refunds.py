"""Refunds: ``POST /refund``, its lists, and the life of each.

A refund begins ``pending``; the control endpoint moves it on, each time with its webhook. The
transaction says ``reversal-pending`` meanwhile, and ``reversed`` once a refund is processed; a
failed one makes it ``success`` again. Events carry no number of the refund, but for
``needs-attention``, and their amount is text in three of the five.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.paystack.errors import PaystackError, invalid
from sandbox.paystack.instants import instant_text
from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.routing import json_answer

STATUSES = ("pending", "processing", "processed", "failed", "needs-attention")
MAX_REFUNDS = 50_000
MAX_ROWS_PER_PAGE = 100
MINIMUM = 100
BANKING_DAYS = timedelta(days=10)


@dataclass(slots=True)
class Refund:
    """Money of one transaction that goes back."""

    id: int
    transaction: Transaction
    amount: int
    merchant_note: str
    customer_note: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"

    def as_created(self) -> dict[str, Any]:
        """Return the refund as the answer to its request."""
        return {
            "transaction": self.transaction.as_verified(),
            **self._shared_fields(),
            "fully_deducted": False,
            "createdAt": instant_text(self.created_at),
            "updatedAt": instant_text(self.updated_at),
        }

    def as_listed(self) -> dict[str, Any]:
        """Return the refund as a row: the transaction is a number here."""
        return {
            "transaction": self.transaction.id,
            **self._shared_fields(),
            "fully_deducted": 1 if self.status == "processed" else 0,
            "created_at": instant_text(self.created_at),
            "updated_at": instant_text(self.updated_at),
        }

    def as_event(self) -> dict[str, Any]:
        """Return the refund as in a ``refund.*`` event."""
        data: dict[str, Any] = {
            "status": self.status,
            "transaction_reference": self.transaction.reference,
            "refund_reference": None if self.status == "pending" else f"13{self.id:010d}",
            "amount": self.amount,
            "currency": self.transaction.currency,
            "processor": "mpgs_zen",
            "customer": {
                "first_name": None,
                "last_name": None,
                "email": self.transaction.checkout.email,
            },
            "integration": 412829,
            "domain": "test",
        }
        if self.status in {"pending", "processing", "processed"}:
            data["amount"] = str(self.amount)
        if self.status == "needs-attention":
            del data["processor"]
            data |= {
                "id": str(self.id),
                "customer_note": self.customer_note,
                "merchant_note": self.merchant_note,
            }
        return data

    def _shared_fields(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "integration": 412829,
            "deducted_amount": 0,
            "channel": None,
            "merchant_note": self.merchant_note,
            "customer_note": self.customer_note,
            "status": self.status,
            "refunded_by": "sandbox@example.com",
            "expected_at": instant_text(self.created_at + BANKING_DAYS),
            "currency": self.transaction.currency,
            "domain": "test",
            "amount": self.amount,
        }


class Refunds:
    """Every refund of this integration, oldest first."""

    def __init__(self, transactions: Transactions) -> None:
        """Start without refunds."""
        self._transactions = transactions
        self._refunds: dict[int, Refund] = {}
        self._ids = itertools.count(3_018_284)

    def clear(self) -> None:
        """Forget all refunds; numbers go on."""
        self._refunds.clear()

    def find(self, refund_id: int) -> Refund | None:
        """Return a refund by its number."""
        return self._refunds.get(refund_id)

    def of(self, transaction: Transaction) -> list[Refund]:
        """Return the refunds of a transaction."""
        return [row for row in self._refunds.values() if row.transaction is transaction]

    def left_of(self, transaction: Transaction) -> int:
        """Return what may still go back, in subunits."""
        gone = sum(row.amount for row in self.of(transaction) if row.status != "failed")
        return transaction.amount - gone

    def create(self, fields: Mapping[str, Any]) -> Refund:
        """Begin a refund; without an amount it is the whole of the transaction.

        Raises:
            PaystackError: More would go back than was paid, or the request is no refund.
        """
        transaction = self._transaction(str(fields.get("transaction", "")))
        amount = _whole(fields.get("amount", transaction.amount))
        if fields.get("currency", transaction.currency) != transaction.currency:
            raise invalid("Transaction currency must match refund currency")
        if amount > self.left_of(transaction):
            raise invalid("Total refund amount cannot exceed original transaction amount")
        if amount < MINIMUM:
            raise invalid(
                "The minimum amount you may send in a single refund at this time is: "
                f"{transaction.currency}{MINIMUM / 100:.2f}"
            )
        now = datetime.now(UTC)
        refund = Refund(
            id=next(self._ids),
            transaction=transaction,
            amount=amount,
            merchant_note=str(
                fields.get("merchant_note")
                or f"Refund for transaction {transaction.reference} by sandbox@example.com"
            ),
            customer_note=str(
                fields.get("customer_note") or f"Refund for transaction {transaction.reference}"
            ),
            created_at=now,
            updated_at=now,
        )
        self._refunds[refund.id] = refund
        if len(self._refunds) > MAX_REFUNDS:
            del self._refunds[next(iter(self._refunds))]
        self._show(transaction)
        return refund

    def move(self, refund: Refund, status: str) -> None:
        """Let a refund go on, and its transaction with it."""
        refund.status = status
        refund.updated_at = datetime.now(UTC)
        self._show(refund.transaction)

    def listing(self, request: Request) -> Response:
        """Answer ``GET /refund``. A reference instead of a number finds nothing."""
        query = request.args
        rows = [
            row
            for row in reversed(self._refunds.values())
            if query.get("transaction") in {None, "", str(row.transaction.id)}
        ]
        per_page = min(max(1, query.get("perPage", 50, int)), MAX_ROWS_PER_PAGE)
        page = max(1, query.get("page", 1, int))
        meta = {
            "total": len(rows),
            "skipped": (page - 1) * per_page,
            "perPage": per_page,
            "page": page,
            "pageCount": -(-len(rows) // per_page),
        }
        data = [row.as_listed() for row in rows[(page - 1) * per_page : page * per_page]]
        return json_answer(
            {"status": True, "message": "Refunds retrieved", "data": data, "meta": meta}
        )

    def fetch(self, refund_id: int) -> Response:
        """Answer ``GET /refund/:id``."""
        refund = self.find(refund_id)
        if refund is None:
            raise PaystackError(404, "Refund not found")
        return json_answer(
            {"status": True, "message": "Refund retrieved", "data": refund.as_listed()}
        )

    def _transaction(self, name: str) -> Transaction:
        transaction = self._transactions.find(name)
        if transaction is None and name.isdecimal():
            transaction = self._transactions.find_by_id(int(name))
        if transaction is None:
            raise PaystackError(404, "Transaction not found")
        if transaction.paid_at is None:
            raise invalid("Transaction has not been paid, and cannot be refunded")
        return transaction

    def _show(self, transaction: Transaction) -> None:
        """Let the transaction's status say what became of its refunds."""
        statuses = {row.status for row in self.of(transaction)}
        if statuses & {"pending", "processing", "needs-attention"}:
            transaction.status = "reversal-pending"
        elif "processed" in statuses:
            transaction.status = "reversed"
        else:
            transaction.status = "success"


def _whole(amount: object) -> int:
    if isinstance(amount, str) and amount.isdecimal():
        amount = int(amount)
    if isinstance(amount, float) and amount.is_integer():
        amount = int(amount)
    if type(amount) is not int:
        raise invalid('"amount" must be an integer')
    if amount <= 0:
        raise invalid("Invalid Amount Sent")
    return amount
