"""What Paystack's webhooks say, and what is kept of them.

Source: https://paystack.com/docs/payments/webhooks/.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from adapters.paystack.payloads import identifier, is_reference, mapping, text
from creditcore.ports.payments import EventKind, WebhookNotice

# https://paystack.com/docs/payments/webhooks/; families end with a dot.
_EVENTS = {"charge.success": EventKind.PAID}


_EVENT_FAMILIES = {"refund.": EventKind.REFUND, "charge.dispute.": EventKind.DISPUTE}


def read_notice(body: bytes) -> WebhookNotice:
    """Return what a webhook is about; ``UNREADABLE`` where it says nothing we understand.

    It is signed all the same, so it is not refused: Paystack would only repeat it for three
    days, and it would be lost then.

    Events name their payment in three places: charges in ``reference``, refunds in
    ``transaction_reference``, disputes in ``transaction.reference``.
    """
    try:
        event = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        event = {}
    name = text(event.get("event"))
    if not name:
        return WebhookNotice(kind=EventKind.UNREADABLE, name="", reference="")
    data = mapping(event.get("data"))
    places = (
        data.get("reference"),
        data.get("transaction_reference"),
        mapping(data.get("transaction")).get("reference"),
    )
    references = (place for place in places if isinstance(place, str) and is_reference(place))
    return WebhookNotice(kind=_event_kind(name), name=name, reference=next(references, ""))


def payment_id_in(body: str) -> str:
    """Return the number of the payment that a stored ``charge.*`` webhook names, or nothing."""
    try:
        event = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return ""
    return identifier(mapping(event.get("data")).get("id"))


# What the books need of a webhook: who, how and from where is not among it.
_KEPT = frozenset(
    {
        "id",
        "status",
        "reference",
        "transaction_reference",
        "refund_reference",
        "amount",
        "refund_amount",
        "requested_amount",
        "fees",
        "currency",
        "channel",
        "domain",
        "paid_at",
        "created_at",
        "resolution",
        "category",
    }
)


def redacted(body: str) -> str:
    """Return a webhook without what it says of cards, phones and people."""
    try:
        event = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        event = {}
    data = mapping(event.get("data"))
    kept = _plain(data)
    if transaction := _plain(mapping(data.get("transaction"))):
        kept["transaction"] = transaction
    return orjson.dumps({"event": text(event.get("event")), "data": kept}).decode()


def _plain(data: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in data.items()
        if name in _KEPT and isinstance(value, str | int | float)
    }


def _event_kind(name: str) -> EventKind:
    families = (kind for family, kind in _EVENT_FAMILIES.items() if name.startswith(family))
    return _EVENTS.get(name) or next(families, EventKind.OTHER)
