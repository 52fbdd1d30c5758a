"""Refunds and disputes as Paystack writes them, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import responses

from adapters.paystack import PaystackGateway, PaystackRefunds
from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.money import Money
from creditcore.domain.refunds import Refund, RefundKind, RefundState, ReportedRefund
from tests.integration.paystack_gateway.messages import BASE_URL, REFERENCE, SECRET_KEY

PAYMENT_ID = "5012345678"
CREATE = f"{BASE_URL}/refund"
DISPUTES = f"{BASE_URL}/dispute/transaction/{PAYMENT_ID}"
NOW = datetime(2026, 11, 2, tzinfo=UTC)
REFUND = Refund(
    id="rf-1",
    purchase=REFERENCE,
    wallet_id="w",
    amount=Money(500, "USD"),
    reason="asked for it",
    created_at=NOW,
    updated_at=NOW,
)


@pytest.fixture
def refunds(gateway: PaystackGateway) -> PaystackRefunds:
    return PaystackRefunds(gateway)


def created(**changes: Any) -> dict[str, Any]:
    data = {
        "transaction": {"id": int(PAYMENT_ID), "reference": REFERENCE},
        "integration": 412829,
        "deducted_amount": 0,
        "channel": None,
        "merchant_note": "rf-1: asked for it",
        "customer_note": "Refund",
        "status": "pending",
        "refunded_by": "ops@example.com",
        "expected_at": "2026-11-12T08:15:02.000Z",
        "currency": "USD",
        "domain": "test",
        "amount": 500,
        "fully_deducted": False,
        "id": 3018284,
        "createdAt": "2026-11-02T08:15:02.000Z",
        "updatedAt": "2026-11-02T08:15:02.000Z",
    }
    return {
        "status": True,
        "message": "Refund has been queued for processing",
        "data": data | changes,
    }


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "integration": 412829,
        "transaction": int(PAYMENT_ID),
        "merchant_note": "rf-1: asked for it",
        "status": "processed",
        "currency": "USD",
        "amount": 500,
        "fully_deducted": 1,
        "id": 3018284,
        "created_at": "2026-11-02T08:15:02.000Z",
    }
    meta = {"total": len(rows), "skipped": 0, "perPage": 50, "page": 1, "pageCount": 1}
    return {
        "status": True,
        "message": "Refunds retrieved",
        "data": [usual | row for row in rows],
        "meta": meta,
    }


def test_a_refund_is_asked_for_with_amount_currency_and_our_name(
    paystack: responses.RequestsMock, refunds: PaystackRefunds
) -> None:
    paystack.post(CREATE, json=created())

    report = refunds.create_refund(REFUND)

    assert report == ReportedRefund(
        provider_id="3018284",
        amount=Money(500, "USD"),
        state=RefundState.PENDING,
        note="rf-1: asked for it",
    )
    assert json.loads(paystack.calls[0].request.body or "") == {
        "transaction": REFERENCE,
        "amount": 500,
        "currency": "USD",
        "merchant_note": "rf-1: asked for it",
    }


@pytest.mark.parametrize(
    ("http_status", "message"),
    [
        (400, "Total refund amount cannot exceed original transaction amount"),
        (400, "Transaction currency must match refund currency"),
        (400, "The minimum amount you may send in a single refund at this time is: GHS1.00"),
        (404, "Transaction not found"),
    ],
)
def test_a_refusal_is_told_in_its_own_words(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, http_status: int, message: str
) -> None:
    paystack.post(CREATE, json={"status": False, "message": message}, status=http_status)

    with pytest.raises(PaymentRejectedError) as refusal:
        refunds.create_refund(REFUND)

    assert str(refusal.value) == message


@pytest.mark.parametrize("http_status", [401, 403, 409, 422, 429, 500, 502, 503])
def test_anything_else_leaves_it_unknown(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, http_status: int
) -> None:
    paystack.post(CREATE, json={"status": False, "message": "?"}, status=http_status)

    with pytest.raises(PaymentGatewayUnavailableError):
        refunds.create_refund(REFUND)

    assert len(paystack.calls) == 1, "a refund is never asked for twice"


@pytest.mark.parametrize(
    "changes",
    [{"id": None}, {"id": ""}, {"status": None}, {"status": 3}, {"amount": 5.0}, {"amount": None},
     {"amount": -5}, {"amount": True}, {"currency": None}, {"currency": "dollars"}],
)  # fmt: skip
def test_what_makes_no_sense_is_no_answer(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, changes: dict[str, Any]
) -> None:
    paystack.post(CREATE, json=created(**changes))

    with pytest.raises(PaymentGatewayUnavailableError):
        refunds.create_refund(REFUND)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", RefundState.PENDING),
        ("processing", RefundState.PENDING),
        ("processed", RefundState.PROCESSED),
        ("failed", RefundState.FAILED),
        ("needs-attention", RefundState.NEEDS_ATTENTION),
        ("a new word", RefundState.PENDING),
    ],
)
def test_every_status_is_understood(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, word: str, state: RefundState
) -> None:
    paystack.get(CREATE, json=listed({"status": word, "amount": "500"}))

    [report] = refunds.refunds_of(PAYMENT_ID)

    assert (report.state, report.amount) == (state, Money(500, "USD"))
    assert paystack.calls[0].request.params == {
        "transaction": PAYMENT_ID,
        "perPage": "50",
        "page": "1",
    }


def test_all_pages_are_read(paystack: responses.RequestsMock, refunds: PaystackRefunds) -> None:
    paystack.get(CREATE, json=listed(*({"id": number} for number in range(50))))
    paystack.get(CREATE, json=listed({"id": 50}))

    assert len(refunds.refunds_of(PAYMENT_ID)) == 51
    assert paystack.calls[1].request.params["page"] == "2"


def test_a_list_without_end_is_not_read_for_ever(
    paystack: responses.RequestsMock, refunds: PaystackRefunds
) -> None:
    paystack.get(CREATE, json=listed(*({"id": number} for number in range(50))))

    with pytest.raises(PaymentGatewayUnavailableError, match="more refunds than can be true"):
        refunds.refunds_of(PAYMENT_ID)


def test_rows_of_other_payments_are_passed_over(
    paystack: responses.RequestsMock, refunds: PaystackRefunds
) -> None:
    paystack.get(
        CREATE,
        json=listed(
            {"id": 1, "transaction": 7},
            {"id": 2, "transaction": {"id": 7}},
            {"id": 3, "transaction": {"id": int(PAYMENT_ID)}},
            {"id": 4, "transaction": None},
        ),
    )

    assert [report.provider_id for report in refunds.refunds_of(PAYMENT_ID)] == ["3", "4"]


@pytest.mark.parametrize("payment_id", ["", "cc-1", "1/2", "1?x"])
def test_a_payment_without_number_is_not_asked_about(
    refunds: PaystackRefunds, payment_id: str
) -> None:
    with pytest.raises(PaymentGatewayUnavailableError, match="number of the payment"):
        refunds.refunds_of(payment_id)


@pytest.mark.parametrize(
    "answer", [{"status": False}, {"status": True, "data": {}}, {"status": True, "data": [1]}]
)
def test_a_list_that_is_none_is_no_answer(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, answer: dict[str, Any]
) -> None:
    paystack.get(CREATE, json=answer)

    with pytest.raises(PaymentGatewayUnavailableError):
        refunds.refunds_of(PAYMENT_ID)


def a_dispute(**changes: Any) -> dict[str, Any]:
    data = {
        "id": 358950,
        "refund_amount": None,
        "currency": "USD",
        "status": "awaiting-merchant-feedback",
        "resolution": None,
        "domain": "test",
        "transaction": {
            "id": int(PAYMENT_ID),
            "reference": REFERENCE,
            "status": "success",
            "amount": 2500,
            "currency": "USD",
        },
        "transaction_reference": None,
        "category": "chargeback",
        "dueAt": "2026-11-03T18:00:00.000Z",
        "resolvedAt": None,
        "history": [],
        "messages": [],
    }
    return data | changes


def reversed_transaction() -> dict[str, Any]:
    return a_dispute()["transaction"] | {"status": "reversed"}


@pytest.mark.parametrize(
    ("changes", "minor_units", "state"),
    [
        ({}, 2500, RefundState.PENDING),
        ({"refund_amount": 1000}, 1000, RefundState.PENDING),
        ({"refund_amount": "1000"}, 1000, RefundState.PENDING),
        ({"refund_amount": 0, "currency": None}, 2500, RefundState.PENDING),
        ({"status": "awaiting-bank-feedback"}, 2500, RefundState.PENDING),
        ({"status": "pending"}, 2500, RefundState.PENDING),
        ({"status": "resolved", "resolution": "declined"}, 2500, RefundState.FAILED),
        ({"status": "archived", "resolution": "declined"}, 2500, RefundState.FAILED),
        ({"status": "resolved", "resolution": "merchant-accepted"}, 2500, RefundState.PROCESSED),
        ({"status": "resolved", "resolution": "auto-accepted"}, 2500, RefundState.PROCESSED),
        ({"status": "resolved", "resolution": "new word"}, 2500, RefundState.PENDING),
        (
            {"status": "resolved", "transaction": reversed_transaction()},
            2500,
            RefundState.PROCESSED,
        ),
    ],
)
def test_a_dispute_is_read_from_its_webhook_and_from_the_api(
    paystack: responses.RequestsMock,
    refunds: PaystackRefunds,
    changes: dict[str, Any],
    minor_units: int,
    state: RefundState,
) -> None:
    data = a_dispute(**changes)
    body = orjson.dumps({"event": "charge.dispute.create", "data": data}).decode()
    paystack.get(DISPUTES, json={"status": True, "message": "ok", "data": data})
    paystack.get(DISPUTES, json={"status": True, "message": "ok", "data": [data]})

    report = refunds.read_dispute(body)

    assert report is not None
    assert (report.amount, report.state) == (Money(minor_units, "USD"), state)
    assert (report.kind, report.provider_id) == (RefundKind.DISPUTE, "358950")
    assert "2026-11-03" in report.message
    assert list(refunds.disputes_of(PAYMENT_ID)) == [report]
    assert list(refunds.disputes_of(PAYMENT_ID)) == [report]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", "{}", '{"data": 5}', '{"data": {"id": 1}}',
     '{"data": {"id": 1, "refund_amount": 5, "currency": "dollars"}}',
     '{"data": {"id": null, "refund_amount": 5, "currency": "USD"}}',
     '{"data": {"id": 1, "refund_amount": 1e300, "currency": "USD"}}',
     '{"data": {"id": 1, "refund_amount": "12345678901234567890", "currency": "USD"}}'],
)  # fmt: skip
def test_a_dispute_that_says_too_little_is_none(refunds: PaystackRefunds, body: str) -> None:
    assert refunds.read_dispute(body) is None


@pytest.mark.parametrize("http_status", [400, 404])
def test_a_payment_without_disputes_has_none(
    paystack: responses.RequestsMock, refunds: PaystackRefunds, http_status: int
) -> None:
    paystack.get(DISPUTES, json={"status": False, "message": "Not found"}, status=http_status)

    assert refunds.disputes_of(PAYMENT_ID) == []
    assert SECRET_KEY not in repr(refunds)
