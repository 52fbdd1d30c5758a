"""Settlements: what Paystack pays out, one for each day and currency in which payments were made.

What was paid today is still ``pending``. As in the samples, ``total_amount`` is ``total_processed``
less ``total_fees``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.paystack.errors import PaystackError
from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.routing import json_answer

ROWS_PER_PAGE = 50
MAX_ROWS_PER_PAGE = 100
FIRST_ID = 3_090_024


@dataclass(slots=True)
class Settlement:
    """One payout.

    Attributes:
        id: The same for as long as the stand-in runs.
    """

    id: int
    day: date
    currency: str
    payments: list[Transaction] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Whether the money has left."""
        return "success" if self.day < datetime.now(UTC).date() else "pending"

    def as_listed(self) -> dict[str, Any]:
        """Return the settlement as a row."""
        processed = sum(row.amount for row in self.payments)
        fees = sum(row.fees for row in self.payments)
        settled_at = datetime.combine(self.day, time(), tzinfo=UTC)
        return {
            "id": self.id,
            "domain": "test",
            "status": self.status,
            "currency": self.currency,
            "integration": 412829,
            "total_amount": processed - fees,
            "effective_amount": processed - fees,
            "total_fees": fees,
            "total_processed": processed,
            "deductions": None,
            "settlement_date": f"{settled_at:%Y-%m-%dT%H:%M:%S}.000Z",
            "settled_by": None,
            "createdAt": f"{settled_at:%Y-%m-%dT%H:%M:%S}.000Z",
            "updatedAt": f"{settled_at:%Y-%m-%dT%H:%M:%S}.000Z",
        }


class Settlements:
    """Payouts, worked out from the transactions whenever one asks."""

    def __init__(self, transactions: Transactions) -> None:
        """Take the transactions that are paid out."""
        self._transactions = transactions

    def listing(self, request: Request) -> Response:
        """Answer ``GET /settlement``."""
        since, until = request.args.get("from", "")[:10], request.args.get("to", "")[:10]
        status = request.args.get("status", "")
        rows = [
            settlement.as_listed()
            for settlement in self._all()
            if (not since or settlement.day.isoformat() >= since)
            and (not until or settlement.day.isoformat() <= until)
            and status in {"", settlement.status}
        ]
        return _page(request, rows)

    def transactions(self, request: Request, settlement_id: int) -> Response:
        """Answer ``GET /settlement/:id/transactions``."""
        found = next((row for row in self._all() if row.id == settlement_id), None)
        if found is None:
            raise PaystackError(404, "Settlement not found")
        return _page(request, [row.as_listed() for row in found.payments])

    def _all(self) -> list[Settlement]:
        by_day: dict[tuple[date, str], Settlement] = {}
        for row in reversed(list(self._transactions)):
            if row.paid_at is not None and row.status == "success":
                key = (row.paid_at.date(), row.currency)
                new = Settlement(FIRST_ID + len(by_day), *key)
                by_day.setdefault(key, new).payments.append(row)
        return list(by_day.values())


def _page(request: Request, rows: list[dict[str, Any]]) -> Response:
    per_page = min(max(1, _number(request, "perPage", ROWS_PER_PAGE)), MAX_ROWS_PER_PAGE)
    page = max(1, _number(request, "page", 1))
    return json_answer(
        {
            "status": True,
            "message": "Settlements retrieved",
            "data": rows[(page - 1) * per_page : page * per_page],
            "meta": {
                "total": len(rows),
                "skipped": (page - 1) * per_page,
                "perPage": per_page,
                "page": page,
                "pageCount": -(-len(rows) // per_page),
            },
        }
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() else default
