"""What Paystack says of a dispute, in its webhooks and its API alike.

Source: https://paystack.com/docs/api/dispute/ and the samples of ``charge.dispute.*``.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from adapters.paystack import payloads
from creditcore.domain.money import Money
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
    minor_units = _minor_units(data.get("refund_amount")) or _minor_units(transaction.get("amount"))
    currency = data.get("currency") or transaction.get("currency")
    if not dispute_id or not minor_units or not isinstance(currency, str):
        return None
    try:
        amount = Money(minor_units, currency)
    except ValueError:
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


def _minor_units(value: object) -> int:
    """Return a positive amount, which comes as a number or as text; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:19])
    return value if type(value) is int and 0 < value < 2**63 else 0
