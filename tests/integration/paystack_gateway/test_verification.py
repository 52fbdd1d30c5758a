"""What Paystack knows of a payment, in our words; what it does not say is not guessed."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from adapters.paystack import PaystackGateway
from creditcore.domain.errors import (
    PaymentGatewayUnavailableError,
)
from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment, PaymentStatus
from tests.integration.paystack_gateway.messages import (
    BASE_URL,
    REFERENCE,
    UNKNOWN_REFERENCE,
    VERIFY,
    a_refusal,
    a_verification,
)


def test_paid_card_is_a_succeeded_payment(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    paystack.get(VERIFY, json=a_verification())

    assert gateway.verify(REFERENCE) == Payment(
        reference=REFERENCE,
        status=PaymentStatus.SUCCEEDED,
        amount=Money(2500, "USD"),
        provider_id="5012345678",
        channel="card",
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", PaymentStatus.SUCCEEDED),
        ("failed", PaymentStatus.FAILED),
        ("abandoned", PaymentStatus.PENDING),
        ("ongoing", PaymentStatus.PENDING),
        ("pending", PaymentStatus.PENDING),
        ("processing", PaymentStatus.PENDING),
        ("queued", PaymentStatus.PENDING),
        ("reversed", PaymentStatus.REVERSED),
        ("reversal-pending", PaymentStatus.REVERSED),
    ],
)
def test_every_status_is_understood(
    paystack: responses.RequestsMock, gateway: PaystackGateway, word: str, status: PaymentStatus
) -> None:
    paystack.get(VERIFY, json=a_verification(status=word))

    payment = gateway.verify(REFERENCE)

    assert payment is not None
    assert payment.status is status


def test_tampered_amount_and_currency_are_reported_as_paid(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    # Comparing them with the purchase is the core's business; the adapter hides nothing.
    paystack.get(VERIFY, json=a_verification(amount="1", currency="KES"))

    payment = gateway.verify(REFERENCE)

    assert payment is not None
    assert payment.amount == Money(1, "KES")


@pytest.mark.parametrize(
    ("http_status", "body"),
    [
        (400, UNKNOWN_REFERENCE),
        (400, a_refusal("Transaction reference not found")),
        (404, a_refusal("Transaction not found")),
    ],
)
def test_unknown_reference_is_none(
    paystack: responses.RequestsMock,
    gateway: PaystackGateway,
    http_status: int,
    body: dict[str, Any],
) -> None:
    paystack.get(VERIFY, json=body, status=http_status)

    assert gateway.verify(REFERENCE) is None


def test_reference_is_quoted_in_the_address(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    paystack.get(f"{BASE_URL}/transaction/verify/tp%3D1", json=a_verification(reference="tp=1"))

    payment = gateway.verify("tp=1")

    assert payment is not None
    assert paystack.calls[0].request.url == f"{BASE_URL}/transaction/verify/tp%3D1"


@pytest.mark.parametrize("reference", ["", "..", "a/../../refund", "a?b", "a b", "x" * 101])
def test_reference_that_paystack_cannot_have_is_none_without_asking(
    paystack: responses.RequestsMock, gateway: PaystackGateway, reference: str
) -> None:
    assert gateway.verify(reference) is None

    assert len(paystack.calls) == 0


@pytest.mark.parametrize(
    "changes",
    [{"reference": "tp-SOMEBODY-ELSE"}, {"amount": None}, {"amount": "25.00"}, {"currency": None}],
    ids=str,
)
def test_garbled_payment_is_unusable(
    paystack: responses.RequestsMock, gateway: PaystackGateway, changes: dict[str, Any]
) -> None:
    paystack.get(VERIFY, json=a_verification(**changes))

    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.verify(REFERENCE)
