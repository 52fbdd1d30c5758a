"""What Paystack says of a dispute, in its webhooks and its API alike.

Source: https://paystack.com/docs/api/dispute/ and the samples of ``charge.dispute.*``.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from adapters.paystack import payloads
from creditcore.domain.refunds import RefundKind, RefundState, ReportedRefund

_ENDED = {"resolved", "archived"}
# Declined is the dispute, not the merchant: the money stays here.
_RESOLUTIONS = {
    "declined": RefundState.FAILED,
    "merchant-accepted": RefundState.PROCESSED,
    "auto-accepted": RefundState.PROCESSED,
}


def read_event(body: str) -> ReportedRefund | None:
    """Return the dispute of a webhook; None where it describes none."""
    try:
        event = payloads.mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    return read(payloads.mapping(event.get("data")))


def read(data: Mapping[str, object]) -> ReportedRefund | None:
    """Return a dispute; None where its number or its amount is missing.

    Without an amount of its own, all of the payment is disputed.
    """
    transaction = payloads.mapping(data.get("transaction"))
    dispute_id = payloads.identifier(data.get("id"))
    currency = data.get("currency") or transaction.get("currency")
    amounts = (
        payloads.money(amount, currency)
        for amount in (data.get("refund_amount"), transaction.get("amount"))
    )
    amount = next((amount for amount in amounts if amount and amount.minor_units), None)
    if not dispute_id or amount is None:
        return None
    due = payloads.text(data.get("dueAt"))
    return ReportedRefund(
        provider_id=dispute_id,
        amount=amount,
        state=_state(data, transaction),
        kind=RefundKind.DISPUTE,
        note=payloads.text(data.get("category")),
        message=f"It is due by {due}." if due else "",
    )


def _state(data: Mapping[str, object], transaction: Mapping[str, object]) -> RefundState:
    if data.get("status") not in _ENDED:
        return RefundState.PENDING
    resolution = data.get("resolution")
    if isinstance(resolution, str) and resolution in _RESOLUTIONS:
        return _RESOLUTIONS[resolution]
    # A new word: what became of the payment tells.
    lost = transaction.get("status") == "reversed"
    return RefundState.PROCESSED if lost else RefundState.PENDING
