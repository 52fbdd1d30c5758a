"""Paystack's own samples, and every odd shape that was seen of them, mean what they should.

Shapes from PaystackOSS/doc-code-snippets (webhooks, payment methods, refunds) and from Paystack's
OpenAPI document; all values are invented.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.paystack.notices import payment_id_in, read_notice, redacted
from adapters.paystack.payloads import Answer, payment_of, read_payment
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.money import Money
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.payments import EventKind

REFERENCE = "cc-01JD9K7Q2N3G"

CARD = {
    "authorization_code": "AUTH_x1y2z3a4b5",
    "bin": "408408",
    "last4": "4081",
    "exp_month": "12",
    "exp_year": "2030",
    "channel": "card",
    "card_type": "visa ",
    "bank": "TEST BANK",
    "country_code": "KE",
    "brand": "visa",
    "reusable": True,
    "signature": "SIG_Ab12",
    "account_name": None,
}
PHONE = CARD | {
    "bin": "071XXX",
    "last4": "X000",
    "exp_year": "9999",
    "channel": "mobile_money",
    "card_type": "",
    "bank": "M-PESA",
    "brand": "M-pesa",
    "reusable": False,
    "signature": None,
}
BY_CARD: dict[str, Any] = {
    "id": 5012345678,
    "domain": "test",
    "status": "success",
    "reference": REFERENCE,
    "amount": 65000,
    "message": None,
    "gateway_response": "Successful",
    "paid_at": "2026-11-02T08:15:02.000Z",
    "created_at": "2026-11-02T08:14:24.000Z",
    "channel": "card",
    "currency": "KES",
    "ip_address": "203.0.113.7",
    "metadata": 0,
    "log": {"time_spent": 16, "attempts": 1, "history": []},
    "fees": None,
    "customer": {"id": 1, "email": "amina@example.com", "customer_code": "CUS_1", "phone": None},
    "authorization": CARD,
    "plan": {},
}
BY_PHONE = BY_CARD | {
    "message": "madePayment",
    "gateway_response": "Approved",
    "channel": "mobile_money",
    "metadata": {"topup_id": "43"},
    "log": None,
    "fees": 975,
    "fees_split": None,
    "authorization": PHONE,
    "subaccount": {},
    "subaccount_group": {},
    "paidAt": "2026-11-02T08:20:54.000Z",
}
BY_TRANSFER = BY_PHONE | {
    "channel": "bank_transfer",
    "fees_breakdown": {"amount": "15", "formula": None, "type": "paystack"},
    "source": {
        "type": "api",
        "source": "merchant_api",
        "entry_point": "charge",
        "identifier": None,
    },
    "authorization": PHONE | {"channel": "bank_transfer", "exp_year": 9999, "sender_bank": None},
}
SAMPLES = {"card": BY_CARD, "phone": BY_PHONE, "transfer": BY_TRANSFER}


def verified(data: object, **envelope: Any) -> Answer:
    body = {"status": True, "message": "Verification successful", "data": data} | envelope
    return Answer.parse(200, orjson.dumps(body))


@pytest.mark.parametrize("name", SAMPLES)
def test_each_channels_sample_is_a_payment_wherever_it_stands(name: str) -> None:
    sample = SAMPLES[name]
    payment = read_payment(verified(sample), reference=REFERENCE)

    assert payment.status is PaymentStatus.SUCCEEDED
    assert (payment.amount, payment.provider_id) == (Money(65000, "KES"), "5012345678")
    assert payment == payment_of(sample)
    assert (payment.card is not None) is (name == "card"), "phones and banks cannot be charged"
    webhook = orjson.dumps({"event": "charge.success", "data": sample})
    notice = read_notice(webhook)
    assert (notice.kind, notice.reference) == (EventKind.PAID, REFERENCE)
    assert payment_id_in(webhook.decode()) == "5012345678"
    for secret in ("AUTH_", "SIG_", "4081", "X000", "amina@", "203.0.113.7", "CUS_1"):
        assert secret not in redacted(webhook.decode())


LEFT_OUT = object()


@pytest.mark.parametrize(
    ("field", "shapes"),
    [
        ("metadata", [{"a": {"b": [1]}}, '{"a":"b"}', "", "{", None, 0, 1.5, True, [], LEFT_OUT]),
        ("paid_at", ["2026-11-02T08:15:02.000Z", "yesterday", "", None, 1793607264, LEFT_OUT]),
        ("paidAt", ["2026-11-02T08:15:02.000Z", "yesterday", "", None, 1793607264, LEFT_OUT]),
        ("fees", [0, 95, "95", 95.5, -1, {}, None, LEFT_OUT]),
        ("fees_breakdown", [{"amount": "15"}, [], "15", None, LEFT_OUT]),
        ("log", [{"history": []}, [], "", None, LEFT_OUT]),
        ("plan", [{}, "PLN_1", "", None, LEFT_OUT]),
        ("requested_amount", [65000, "65000", 1, None, LEFT_OUT]),
        ("source", [{"type": "api"}, "api", None, LEFT_OUT]),
    ],
)
def test_what_does_not_count_changes_nothing_in_any_shape(field: str, shapes: list[Any]) -> None:
    for shape in shapes:
        data = {name: value for name, value in BY_CARD.items() if name != field}
        if shape is not LEFT_OUT:
            data[field] = shape

        payment = read_payment(verified(data), reference=REFERENCE)

        assert payment == read_payment(verified(BY_CARD), reference=REFERENCE), shape


@pytest.mark.parametrize(
    ("changes", "expires"),
    [
        ({}, "2030-12"),
        ({"exp_month": 1, "exp_year": 2031}, "2031-01"),
        ({"exp_month": "01", "exp_year": "2031"}, "2031-01"),
        ({"exp_month": None}, ""),
        ({"exp_year": "n/a"}, ""),
    ],
)
def test_a_cards_months_come_as_text_or_numbers(changes: dict[str, Any], expires: str) -> None:
    data = BY_CARD | {"authorization": CARD | {"brand": None} | changes}

    card = read_payment(verified(data), reference=REFERENCE).card

    assert card is not None
    assert (card.expires, card.brand, card.last4) == (expires, "visa", "4081")


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization": {}},
        {"authorization": None},
        {"authorization": "AUTH_x"},
        {"authorization": {name: CARD[name] for name in CARD if name != "reusable"}},
        {"authorization": CARD | {"reusable": "true"}},
        {"authorization": CARD | {"signature": None}},
        {"authorization": CARD | {"authorization_code": ""}},
        {"authorization": CARD | {"channel": "bank"}},
        {"customer": None},
        {"customer": {"email": 7}},
    ],
    ids=str,
)
def test_a_card_that_is_not_plainly_reusable_is_none(changes: dict[str, Any]) -> None:
    payment = read_payment(verified(BY_CARD | changes), reference=REFERENCE)

    assert payment.card is None
    assert payment.status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize(
    "word",
    ["abandoned", "ongoing", "pending", "processing", "queued", "pay_offline", "open_url",
     "pending_bank_transfer", "send_otp", "send_pin", "send_phone", "send_birthday", "send_address",
     "a-word-of-next-year", "Success", " success", ""],
)  # fmt: skip
def test_what_is_not_known_to_be_over_waits_whatever_else_looks_paid(word: str) -> None:
    payment = read_payment(verified(BY_CARD | {"status": word}), reference=REFERENCE)

    assert payment.status is PaymentStatus.PENDING
    assert payment.card is None


def test_a_refund_in_flight_and_one_that_ended_are_both_reversed() -> None:
    for word in ("reversed", "reversal-pending"):
        payment = read_payment(verified(BY_CARD | {"status": word}), reference=REFERENCE)
        assert payment.status is PaymentStatus.REVERSED


REFUND: dict[str, Any] = {
    "status": "processed",
    "transaction_reference": REFERENCE,
    "refund_reference": None,
    "amount": "500",
    "currency": "KES",
    "processor": "mpgs_zen",
    "customer": {"first_name": None, "last_name": None, "email": "amina@example.com"},
    "integration": 412829,
    "domain": "live",
}
DISPUTE = {"transaction_reference": None, "transaction": {"reference": REFERENCE, "metadata": ""}}
REJECTED = {"bank_transfer": {"amount": "1000", "transaction_id": "5195686331"}, "customer": {}}


@pytest.mark.parametrize(
    ("name", "data", "kind", "reference"),
    [
        ("refund.pending", REFUND | {"status": "pending"}, EventKind.REFUND, REFERENCE),
        ("refund.processing", REFUND | {"status": "processing"}, EventKind.REFUND, REFERENCE),
        ("refund.processed", REFUND, EventKind.REFUND, REFERENCE),
        ("refund.failed", REFUND | {"amount": 500}, EventKind.REFUND, REFERENCE),
        (
            "refund.needs-attention",
            {name: REFUND[name] for name in REFUND if name != "processor"} | {"id": "3018284"},
            EventKind.REFUND,
            REFERENCE,
        ),
        ("charge.dispute.create", DISPUTE, EventKind.DISPUTE, REFERENCE),
        ("charge.dispute.remind", DISPUTE, EventKind.DISPUTE, REFERENCE),
        ("charge.dispute.resolve", DISPUTE, EventKind.DISPUTE, REFERENCE),
        ("bank.transfer.rejected", REJECTED, EventKind.OTHER, ""),
        ("charge.failed", BY_CARD | {"status": "failed"}, EventKind.OTHER, REFERENCE),
        ("dedicatedaccount.assign.failed", {"dedicated_account": None}, EventKind.OTHER, ""),
        ("preauthorization.success", {"reference": "x" * 101}, EventKind.OTHER, ""),
        ("an.event.of.next.year", None, EventKind.OTHER, ""),
    ],
)
def test_every_event_is_read_and_kept_without_its_people(
    name: str, data: object, kind: EventKind, reference: str
) -> None:
    body = orjson.dumps({"event": name, "data": data})

    notice = read_notice(body)

    assert (notice.name, notice.kind, notice.reference) == (name, kind, reference)
    left = redacted(body.decode())
    assert "amina@" not in left
    assert read_notice(left.encode()) == notice


@pytest.mark.parametrize(
    ("http_status", "body"),
    [
        (200, {"status": False, "message": "?", "data": BY_CARD}),
        (200, {"status": "true", "data": BY_CARD}),
        (200, {"type": "success", "code": "ok", "data": BY_CARD}),
        (200, {"status": True, "data": [BY_CARD]}),
        (400, {"status": False, "message": "?", "meta": {"next_step": "?"}, "data": BY_CARD}),
        (400, {"status": "false", "message": "?", "data": BY_CARD}),
        (400, {"status": True, "data": BY_CARD}),
    ],
)
def test_an_envelope_that_does_not_say_yes_pays_nothing(
    http_status: int, body: dict[str, Any]
) -> None:
    with pytest.raises(PaymentGatewayUnavailableError):
        read_payment(Answer.parse(http_status, orjson.dumps(body)), reference=REFERENCE)
