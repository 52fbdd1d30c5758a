"""What the gateway and Paystack say to each other."""

from __future__ import annotations

from typing import Any

from creditcore.domain.money import Money
from creditcore.ports.payments import CheckoutRequest

BASE_URL = "https://api.paystack.co"
SANDBOX_URL = "http://127.0.0.1:8001/paystack"
SECRET_KEY = "sk_test_0f3c9a7be1"
REFERENCE = "tp-01JD9K7Q2M8F"
INITIALIZE = f"{BASE_URL}/transaction/initialize"
VERIFY = f"{BASE_URL}/transaction/verify/{REFERENCE}"
PAGE = "https://checkout.paystack.com/k3v9x2m8p1q7z4a"


def a_request(reference: str = REFERENCE) -> CheckoutRequest:
    return CheckoutRequest(
        reference=reference,
        amount=Money(2500, "USD"),
        email="amina@example.com",
        return_url="https://app.example.com/payments/paystack",
        cancel_url="https://app.example.com/dashboard/billing",
        description="5,000 credits",
    )


def a_checkout(url: str = PAGE, reference: str = REFERENCE) -> dict[str, Any]:
    data = {
        "authorization_url": url,
        "access_code": "k3v9x2m8p1q7z4a",
        "reference": reference,
    }
    return {"status": True, "message": "Authorization URL created", "data": data}


def a_verification(**changes: Any) -> dict[str, Any]:
    data = {
        "id": 5012345678,
        "domain": "test",
        "status": "success",
        "reference": REFERENCE,
        "receipt_number": None,
        "amount": 2500,
        "message": None,
        "gateway_response": "Successful",
        "paid_at": "2026-11-02T08:15:02.000Z",
        "channel": "card",
        "currency": "USD",
        "metadata": {"topup_id": "42"},
        "fees": 95,
        "authorization": {"authorization_code": "AUTH_x1y2z3a4b5", "card_type": "visa "},
        "customer": {"email": "amina@example.com"},
        "plan": None,
        "requested_amount": 2500,
    }
    return {"status": True, "message": "Verification successful", "data": data | changes}


def a_refusal(message: str, code: str | None = None) -> dict[str, Any]:
    refusal: dict[str, Any] = {"status": False, "message": message, "meta": {"nextStep": "…"}}
    return refusal if code is None else refusal | {"type": "validation_error", "code": code}


UNKNOWN_REFERENCE = a_refusal("Transaction reference not found.", "transaction_not_found")
