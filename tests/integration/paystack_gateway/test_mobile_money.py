"""Charges on phones: what is asked, and what each answer means."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses

from adapters.paystack import PaystackGateway
from adapters.paystack.currencies import TERMS
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.money import Money
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.payments import FailureReason, MobileCharge, MobileChargeRequest
from tests.integration.paystack_gateway.messages import BASE_URL, REFERENCE, a_refusal

CHARGE = f"{BASE_URL}/charge"
TEXT = "Please complete authorization process on your mobile phone"


def a_charge(reference: str = REFERENCE) -> MobileChargeRequest:
    return MobileChargeRequest(
        reference=reference,
        amount=Money(65_000, "KES"),
        email="amina@example.com",
        network="mpesa",
        phone="+254710000000",
    )


def an_answer(**data: Any) -> dict[str, Any]:
    return {"status": True, "message": "Charge attempted", "data": {"reference": REFERENCE} | data}


def test_a_phone_is_asked_exactly_as_documented(
    gateway: PaystackGateway, paystack: responses.RequestsMock
) -> None:
    paystack.post(CHARGE, json=an_answer(status="pay_offline", display_text=TEXT))

    charge = gateway.charge_mobile(a_charge())

    assert charge == MobileCharge(status=PaymentStatus.PENDING, message=TEXT)
    assert json.loads(paystack.calls[0].request.body or b"") == {
        "email": "amina@example.com",
        "amount": 65_000,
        "currency": "KES",
        "reference": REFERENCE,
        "mobile_money": {"phone": "+254710000000", "provider": "mpesa"},
    }


@pytest.mark.parametrize(
    ("data", "charge"),
    [
        ({"status": "pay_offline", "display_text": TEXT}, (PaymentStatus.PENDING, TEXT)),
        ({"status": "pay_offline"}, (PaymentStatus.PENDING, "")),
        ({"status": "pending"}, (PaymentStatus.PENDING, "")),
        ({"status": "ongoing"}, (PaymentStatus.PENDING, "")),
        ({"status": "processing"}, (PaymentStatus.PENDING, "")),
        ({"status": "queued"}, (PaymentStatus.PENDING, "")),
        ({"status": "abandoned"}, (PaymentStatus.PENDING, "")),
        ({"status": "pending_bank_transfer"}, (PaymentStatus.PENDING, "")),
        (
            {"status": "send_otp", "display_text": "Dial *110#"},
            (PaymentStatus.PENDING, "Dial *110#"),
        ),
        ({"status": "send_pin"}, (PaymentStatus.PENDING, "")),
        ({"status": "send_phone"}, (PaymentStatus.PENDING, "")),
        ({"status": "send_birthday"}, (PaymentStatus.PENDING, "")),
        ({"status": "send_address"}, (PaymentStatus.PENDING, "")),
        ({"status": "open_url", "url": "https://pay.example"}, (PaymentStatus.PENDING, "")),
        ({"status": "a word of tomorrow"}, (PaymentStatus.PENDING, "")),
        ({"status": "pay_offline", "display_text": 7}, (PaymentStatus.PENDING, "")),
        ({"status": "success", "amount": 65_000}, (PaymentStatus.SUCCEEDED, "")),
        ({"status": "failed", "message": "Declined"}, (PaymentStatus.FAILED, "Declined")),
        (
            {"status": "failed", "message": None, "gateway_response": "No funds"},
            (PaymentStatus.FAILED, "No funds"),
        ),
        ({"status": "failed"}, (PaymentStatus.FAILED, "")),
        ({"status": "timeout"}, (PaymentStatus.FAILED, "timeout")),
    ],
)
def test_each_answer_has_a_meaning(
    gateway: PaystackGateway,
    paystack: responses.RequestsMock,
    data: dict[str, Any],
    charge: tuple[PaymentStatus, str],
) -> None:
    paystack.post(CHARGE, json=an_answer(**data))

    answered = gateway.charge_mobile(a_charge())

    assert (answered.status, answered.message) == charge


@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.Timeout()},
        {"body": requests.ConnectionError()},
        {"status": 500, "json": {"status": False}},
        {"status": 429, "json": a_refusal("Rate limit exceeded!", "rate_limited")},
        {"status": 200, "body": "<html>"},
        {"status": 200, "json": {"status": True, "data": {"reference": "another", "status": "x"}}},
        {"status": 200, "json": an_answer(status=None)},
        {"status": 200, "json": {"status": True, "data": None}},
        # It arrived before: a phone may be asked by now.
        {
            "status": 400,
            "json": a_refusal("Duplicate Transaction Reference", "duplicate_reference"),
        },
        {"status": 400, "json": a_refusal("Duplicate Transaction Reference")},
    ],
    ids=str,
)
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(
    gateway: PaystackGateway, paystack: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    paystack.post(CHARGE, **answer)

    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.charge_mobile(a_charge())

    assert len(paystack.calls) == 1


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        (a_refusal("Invalid Amount Sent"), "Invalid Amount Sent"),
        (
            {"status": False, "message": "Charge attempted", "data": {"message": "Bad number"}},
            "Bad number",
        ),
        (
            a_refusal("No active channel to process transaction. Please contact merchant"),
            "No active channel to process transaction. Please contact merchant",
        ),
    ],
)
def test_a_refusal_says_why(
    gateway: PaystackGateway,
    paystack: responses.RequestsMock,
    envelope: dict[str, Any],
    said: str,
) -> None:
    paystack.post(CHARGE, status=400, json=envelope)

    with pytest.raises(PaymentRejectedError, match=said):
        gateway.charge_mobile(a_charge())


def test_a_reference_that_paystack_would_refuse_is_not_sent(gateway: PaystackGateway) -> None:
    with pytest.raises(PaymentRejectedError):
        gateway.charge_mobile(a_charge(reference="../refund"))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Request cancelled by user", FailureReason.CANCELLED),
        ("Request Canceled by user.", FailureReason.CANCELLED),
        ("DS timeout user cannot be reached", FailureReason.NO_ANSWER),
        ("Transaction timed out", FailureReason.NO_ANSWER),
        ("timeout", FailureReason.NO_ANSWER),
        ("Transaction expired", FailureReason.NO_ANSWER),
        ("No response from user", FailureReason.NO_ANSWER),
        ("The initiator information is invalid.", FailureReason.WRONG_PIN),
        ("Wrong PIN entered", FailureReason.WRONG_PIN),
        ("Invalid OTP", FailureReason.WRONG_CODE),
        ("The OTP you entered is incorrect", FailureReason.WRONG_CODE),
        ("Token has expired", FailureReason.WRONG_CODE),
        ("The balance is insufficient for the transaction", FailureReason.TOO_LITTLE_MONEY),
        ("Insufficient funds", FailureReason.TOO_LITTLE_MONEY),
        ("Insufficient Funds", FailureReason.TOO_LITTLE_MONEY),
        (
            "Unable to lock subscriber, a transaction is already in process",
            FailureReason.ANOTHER_SESSION,
        ),
        ("Amount exceeds the maximum limit", FailureReason.OVER_LIMIT),
        ("Invalid phone number", FailureReason.BAD_NUMBER),
        ("Please enter a valid phone number", FailureReason.BAD_NUMBER),
        ("Mobile money number is not valid", FailureReason.BAD_NUMBER),
        ("Invalid Email Address Passed", FailureReason.BAD_EMAIL),
        ("Invalid Amount Sent", FailureReason.OTHER),
        ("M-PESA system is busy", FailureReason.BUSY),
        ("System internal error", FailureReason.BUSY),
        ("Declined", FailureReason.DECLINED),
        ("The request was never received.", FailureReason.NEVER_SENT),
        ("Rule 77 of the agent applies", FailureReason.OTHER),
        ("", FailureReason.OTHER),
    ],
)
def test_messages_have_a_meaning(
    gateway: PaystackGateway, message: str, reason: FailureReason
) -> None:
    assert gateway.failure_reason(message) is reason


def test_every_currency_that_is_sold_is_one_that_paystack_collects() -> None:
    assert set(TERMS) == set(CURRENCIES)


@pytest.mark.parametrize(
    ("currency", "least"),
    [("NGN", 5_000), ("USD", 200), ("GHS", 10), ("ZAR", 100), ("KES", 300), ("XOF", 100)],
)
def test_the_least_is_what_paystack_documents(
    gateway: PaystackGateway, currency: str, least: int
) -> None:
    assert gateway.minimum(currency) == Money(least, currency)


def test_other_currencies_are_not_collected(gateway: PaystackGateway) -> None:
    with pytest.raises(LookupError, match="EUR"):
        gateway.minimum("EUR")
    assert gateway.mobile_networks("EUR") == ()


def test_networks_are_those_of_their_country(gateway: PaystackGateway) -> None:
    found = {
        (network.code, network.country)
        for currency in CURRENCIES
        for network in gateway.mobile_networks(currency)
    }

    assert found == {
        ("mpesa", "KE"),
        ("atl", "KE"),
        ("mtn", "GH"),
        ("vod", "GH"),
        ("atl", "GH"),
        ("orange", "CI"),
        ("mtn", "CI"),
        ("wave", "CI"),
    }


# -- what the payer types ----------------------------------------------------------------------

OTP = PayerAnswer(PayerDetail.OTP, {"otp": "123456"})


@pytest.mark.parametrize(
    ("status", "detail"),
    [(f"send_{detail}", detail) for detail in PayerDetail] + [("pay_offline", None)],
)
def test_each_step_says_what_to_type(
    gateway: PaystackGateway,
    paystack: responses.RequestsMock,
    status: str,
    detail: PayerDetail | None,
) -> None:
    paystack.post(CHARGE, json=an_answer(status=status))

    assert gateway.charge_mobile(a_charge()).asks_for is detail


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://pay.wave.com/c/1", "https://pay.wave.com/c/1"),
        ("http://pay.wave.com/c/1", ""),
        ("javascript:alert(1)", ""),
        (7, ""),
    ],
)
def test_a_page_to_go_on_is_named_if_it_is_safe(
    gateway: PaystackGateway, paystack: responses.RequestsMock, url: object, shown: str
) -> None:
    paystack.post(CHARGE, json=an_answer(status="open_url", url=url))

    assert gateway.charge_mobile(a_charge()).page_url == shown


@pytest.mark.parametrize(
    "answer",
    [
        OTP,
        PayerAnswer(PayerDetail.PHONE, {"phone": "+233201234567"}),
        PayerAnswer(PayerDetail.BIRTHDAY, {"birthday": "1990-12-31"}),
        PayerAnswer(
            PayerDetail.ADDRESS,
            {"address": "1 High St", "city": "Accra", "state": "GA", "zip_code": "00233"},
        ),
    ],
    ids=lambda answer: answer.detail,
)
def test_what_was_typed_is_passed_on_as_documented(
    gateway: PaystackGateway, paystack: responses.RequestsMock, answer: PayerAnswer
) -> None:
    url = f"{BASE_URL}/charge/submit_{answer.detail}"
    paystack.post(url, json=an_answer(status="pay_offline", display_text=TEXT))

    charge = gateway.submit_detail(REFERENCE, answer)

    assert charge == MobileCharge(status=PaymentStatus.PENDING, message=TEXT)
    sent = json.loads(paystack.calls[0].request.body or b"")
    assert sent == {**answer.fields, "reference": REFERENCE}


def test_words_about_a_code_do_not_repeat_it(
    gateway: PaystackGateway, paystack: responses.RequestsMock
) -> None:
    url = f"{BASE_URL}/charge/submit_otp"
    paystack.post(url, json=an_answer(status="failed", message="Invalid OTP 123456"))
    paystack.post(url, status=400, json=a_refusal("123456 is too old"))

    failed = gateway.submit_detail(REFERENCE, OTP)
    with pytest.raises(PaymentRejectedError) as refused:
        gateway.submit_detail(REFERENCE, OTP)

    assert failed == MobileCharge(status=PaymentStatus.FAILED, message="Invalid OTP ***")
    assert gateway.failure_reason(failed.message) is FailureReason.WRONG_CODE
    assert str(refused.value) == "*** is too old"


def test_an_answer_that_gets_lost_is_sent_once(
    gateway: PaystackGateway, paystack: responses.RequestsMock
) -> None:
    paystack.post(f"{BASE_URL}/charge/submit_otp", body=requests.Timeout())

    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.submit_detail(REFERENCE, OTP)

    assert len(paystack.calls) == 1


def test_a_charge_says_what_it_waits_for(
    gateway: PaystackGateway, paystack: responses.RequestsMock
) -> None:
    url = f"{CHARGE}/{REFERENCE}"
    paystack.get(url, json=an_answer(status="send_otp", display_text="Dial *110#"))
    paystack.get(url, status=400, json=a_refusal("Transaction reference is invalid"))

    told = gateway.charge_progress(REFERENCE)
    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.charge_progress(REFERENCE)

    assert told == MobileCharge(
        status=PaymentStatus.PENDING, message="Dial *110#", asks_for=PayerDetail.OTP
    )
