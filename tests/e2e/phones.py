"""Phones that the payment sandbox knows, and what is asked of them."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.buyer import Buyer

MPESA = "/api/checkout/mpesa"
MOBILE = "/api/checkout/mobile"
PAYS, CANCELS, SILENT, WRONG_PIN, POOR, ENGAGED, LOST = (
    f"+25471000000{digit}" for digit in range(7)
)


def ask(buyer: Buyer, phone: str = PAYS, **order: Any) -> dict[str, Any]:
    """Ask a phone for money and return what a program is told."""
    answer = buyer.post_json(MPESA, {"amount_kes": 650, "phone": phone} | order)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def standing(buyer: Buyer, reference: str) -> dict[str, Any]:
    answer = buyer.get(f"/api/checkout/{reference}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def charges(buyer: Buyer) -> list[dict[str, Any]]:
    """Return what Paystack was asked to collect from this buyer's phones."""
    bodies = [
        json.loads(call["body"])
        for call in buyer.control("GET", "calls", params={"endpoint": "charge"})
    ]
    return [body for body in bodies if body["email"] == buyer.email]
