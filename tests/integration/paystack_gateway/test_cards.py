"""Saved cards are charged once and forgotten, and every answer of Paystack's has a meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses

from adapters.paystack import PaystackCards, PaystackGateway
from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.money import Money
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.card_gateway import CardCharge, CardChargeRequest
from tests.integration.paystack_gateway.messages import (
    BASE_URL,
    PAGE,
    REFERENCE,
    VERIFY,
    a_refusal,
    a_verification,
)

CHARGE = f"{BASE_URL}/transaction/charge_authorization"
FORGET = f"{BASE_URL}/customer/authorization/deactivate"
CARD = {
    "authorization_code": "AUTH_x1y2z3a4b5",
    "last4": "4081",
    "exp_month": "12",
    "exp_year": "2030",
    "channel": "card",
    "card_type": "visa ",
    "bank": "TEST BANK",
    "brand": "visa",
    "reusable": True,
    "signature": "SIG_Ab12Cd34",
}


@pytest.fixture
def cards(gateway: PaystackGateway) -> PaystackCards:
    return PaystackCards(gateway)


def a_charge() -> CardChargeRequest:
    return CardChargeRequest(
        reference=REFERENCE,
        amount=Money(2500, "USD"),
        email="amina@example.com",
        code="AUTH_x1y2z3a4b5",
        return_url="https://app.example.com/payments/paystack",
    )


def an_answer(**data: Any) -> dict[str, Any]:
    envelope = {"status": True, "message": "Charge attempted"}
    return {**envelope, "data": {"reference": REFERENCE, **data}}


def test_a_charge_says_what_is_documented_and_its_code_is_not_printed(
    cards: PaystackCards, paystack: responses.RequestsMock
) -> None:
    paystack.post(CHARGE, json=an_answer(status="success", amount=2500))

    charge = cards.charge_card(a_charge())

    assert charge == CardCharge(status=PaymentStatus.SUCCEEDED)
    assert json.loads(paystack.calls[0].request.body or b"") == {
        "email": "amina@example.com",
        "amount": 2500,
        "currency": "USD",
        "authorization_code": "AUTH_x1y2z3a4b5",
        "reference": REFERENCE,
        "callback_url": "https://app.example.com/payments/paystack",
    }
    assert "AUTH" not in repr(a_charge())


@pytest.mark.parametrize(
    ("data", "charge"),
    [
        (
            {"status": "failed", "gateway_response": "Declined"},
            CardCharge(status=PaymentStatus.FAILED, message="Declined"),
        ),
        (
            {"authorization_url": PAGE, "access_code": "k3v9", "paused": True},
            CardCharge(status=PaymentStatus.PENDING, challenge_url=PAGE),
        ),
        (
            {"authorization_url": "javascript:alert(1)", "paused": True},
            CardCharge(status=PaymentStatus.FAILED, message="The bank's page is not safe to open."),
        ),
        ({"status": "processing"}, CardCharge(status=PaymentStatus.PENDING)),
        ({"status": "queued"}, CardCharge(status=PaymentStatus.PENDING)),
        ({"status": "a word of tomorrow"}, CardCharge(status=PaymentStatus.PENDING)),
    ],
    ids=str,
)
def test_each_answer_to_a_charge_has_a_meaning(
    cards: PaystackCards,
    paystack: responses.RequestsMock,
    data: dict[str, Any],
    charge: CardCharge,
) -> None:
    paystack.post(CHARGE, json=an_answer(**data))

    assert cards.charge_card(a_charge()) == charge


@pytest.mark.parametrize(
    "message",
    [
        "Authorization code is invalid",
        "Email does not match Authorization code. Authorization may be inactive.",
        "Currency not supported by merchant",
    ],
)
def test_a_refusal_charges_nothing(
    cards: PaystackCards, paystack: responses.RequestsMock, message: str
) -> None:
    paystack.post(CHARGE, status=400, json=a_refusal(message))

    with pytest.raises(PaymentRejectedError, match=message[:20]):
        cards.charge_card(a_charge())


@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.Timeout()},
        {"status": 500, "json": {"status": False}},
        {"status": 429, "json": a_refusal("Rate limit exceeded!", "rate_limited")},
        {"json": {"status": True, "data": {"reference": "another", "status": "success"}}},
        {"json": an_answer()},
        {"json": an_answer(status=7)},
        # It arrived before: the card may be charged by now.
        {"status": 400, "json": a_refusal("Duplicate Transaction Reference")},
    ],
    ids=str,
)
def test_an_answer_that_says_nothing_is_sent_once_and_leaves_the_outcome_unknown(
    cards: PaystackCards, paystack: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    paystack.post(CHARGE, **answer)

    with pytest.raises(PaymentGatewayUnavailableError):
        cards.charge_card(a_charge())

    assert len(paystack.calls) == 1


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_code_that_is_forgotten_or_was_never_known_is_no_error(
    cards: PaystackCards, paystack: responses.RequestsMock, status: int
) -> None:
    paystack.post(FORGET, status=status, json={"status": status == 200, "message": "…"})

    cards.forget_card("AUTH_x1y2z3a4b5")

    assert json.loads(paystack.calls[0].request.body or b"") == {
        "authorization_code": "AUTH_x1y2z3a4b5"
    }


def test_forgetting_that_has_no_answer_is_tried_again(
    cards: PaystackCards, paystack: responses.RequestsMock
) -> None:
    paystack.post(FORGET, status=502, body="<html>")

    with pytest.raises(PaymentGatewayUnavailableError):
        cards.forget_card("AUTH_x1y2z3a4b5")


def test_verifying_shows_a_card_that_may_be_charged_again(
    gateway: PaystackGateway, paystack: responses.RequestsMock
) -> None:
    paystack.get(VERIFY, json=a_verification(authorization=CARD))

    payment = gateway.verify(REFERENCE)

    assert payment is not None
    card = payment.card
    assert card is not None
    assert (card.code, card.signature) == ("AUTH_x1y2z3a4b5", "SIG_Ab12Cd34")
    assert (card.email, card.brand) == ("amina@example.com", "visa")
    assert (card.last4, card.expires) == ("4081", "2030-12")


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization": {**CARD, "reusable": False}},
        {"authorization": {**CARD, "reusable": "true"}},
        {"authorization": {**CARD, "channel": "mobile_money"}},
        {"authorization": {**CARD, "signature": None}},
        {"authorization": {**CARD, "authorization_code": 7}},
        {"authorization": None},
        {"authorization": []},
        {"authorization": CARD, "customer": None},
        {"authorization": CARD, "status": "reversed"},
        {"authorization": CARD, "status": "failed"},
    ],
    ids=str,
)
def test_what_cannot_be_charged_again_is_no_saved_card(
    gateway: PaystackGateway, paystack: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    paystack.get(VERIFY, json=a_verification(**changes))

    payment = gateway.verify(REFERENCE)

    assert payment is not None
    assert payment.card is None
