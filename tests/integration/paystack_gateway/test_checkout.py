"""A checkout is started with exact fields, and only a page that is safe to open is returned."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import responses

from adapters.paystack import PaystackGateway
from creditcore.domain.errors import (
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
)
from creditcore.domain.money import Money
from creditcore.ports.payments import PaymentGateway
from tests.integration.paystack_gateway.messages import (
    INITIALIZE,
    PAGE,
    REFERENCE,
    SANDBOX_URL,
    SECRET_KEY,
    a_checkout,
    a_refusal,
    a_request,
)


def test_adapter_fits_the_port(gateway: PaystackGateway) -> None:
    port: PaymentGateway = gateway

    assert port is gateway


def test_checkout_returns_the_page_to_pay_on(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    paystack.post(INITIALIZE, json=a_checkout())

    assert gateway.start_checkout(a_request()) == PAGE


def test_checkout_sends_the_key_and_exact_fields(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    paystack.post(INITIALIZE, json=a_checkout())

    gateway.start_checkout(a_request())

    sent = paystack.calls[0].request
    assert sent.headers["Authorization"] == f"Bearer {SECRET_KEY}"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Accept-Encoding"] == "identity"
    assert sent.body is not None
    body = json.loads(sent.body)
    assert (body["amount"], body["currency"], body["channels"]) == (2500, "USD", ["card"])
    assert isinstance(body["metadata"], str)


@pytest.mark.parametrize(
    ("currency", "channels"),
    [
        ("USD", ["card"]),
        ("KES", ["card", "mobile_money"]),
        ("NGN", ["card", "bank", "bank_transfer", "ussd"]),
        ("GHS", ["card", "mobile_money"]),
        ("ZAR", ["card", "eft"]),
        ("XOF", ["card", "mobile_money"]),
        ("EGP", ["card"]),
    ],
)
def test_checkout_offers_the_channels_of_its_currency(
    gateway: PaystackGateway,
    paystack: responses.RequestsMock,
    currency: str,
    channels: list[str],
) -> None:
    paystack.post(INITIALIZE, json=a_checkout())

    gateway.start_checkout(replace(a_request(), amount=Money(100_000, currency)))

    assert json.loads(paystack.calls[0].request.body or b"")["channels"] == channels


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Duplicate Transaction Reference", "duplicate_reference"),
        ("Currency not supported by merchant", None),
        ("No active channel to process transaction. Please contact merchant", None),
        ("Invalid Amount Sent", None),
        ("Invalid Email Address Passed", None),
    ],
)
def test_refused_checkout_says_why_in_paystacks_words(
    paystack: responses.RequestsMock, gateway: PaystackGateway, message: str, code: str | None
) -> None:
    paystack.post(INITIALIZE, json=a_refusal(message, code), status=400)

    with pytest.raises(PaymentRejectedError) as caught:
        gateway.start_checkout(a_request())
    assert str(caught.value) == message


def test_reference_that_paystack_cannot_take_is_never_sent(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    with pytest.raises(PaymentRejectedError):
        gateway.start_checkout(a_request(reference="tp/../1"))

    assert len(paystack.calls) == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://checkout.paystack.com/k3v9",
        "http://127.0.0.1:8001/checkout/1",
        "javascript:alert(1)",
        "//checkout.paystack.com/k3v9",
        "https://",
        "https://[::1",
        "https://checkout.paystack.com/\r\nSet-Cookie: a=b",
        "https://checkout.paystack.com\\@example.com/",
        "",
    ],
)
def test_unsafe_page_is_refused(
    paystack: responses.RequestsMock, gateway: PaystackGateway, url: str
) -> None:
    paystack.post(INITIALIZE, json=a_checkout(url))

    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.start_checkout(a_request())


@pytest.mark.parametrize(
    ("url", "opens"),
    [
        ("http://127.0.0.1:8001/checkout/1", True),
        ("http://127.0.0.1:9001/checkout/1", True),
        (PAGE, True),
        ("http://example.com/checkout/1", False),
        ("http://127.0.0.1@example.com/checkout/1", False),
    ],
)
def test_sandbox_may_use_plain_http_on_its_own_host(
    paystack: responses.RequestsMock, url: str, opens: bool
) -> None:
    paystack.post(f"{SANDBOX_URL}/transaction/initialize", json=a_checkout(url))
    gateway = PaystackGateway(SANDBOX_URL + "/", SECRET_KEY)

    if opens:
        assert gateway.start_checkout(a_request()) == url
    else:
        with pytest.raises(PaymentGatewayUnavailableError):
            gateway.start_checkout(a_request())


@pytest.mark.parametrize(
    "answer",
    [
        a_checkout(reference="tp-SOMEBODY-ELSE"),
        {"status": True, "message": "Authorization URL created"},
        {"status": True, "data": {"reference": REFERENCE}},
        {"status": True, "data": {"reference": REFERENCE, "authorization_url": 7}},
        a_checkout() | {"status": False},
        a_checkout() | {"status": "true"},
    ],
    ids=["other reference", "no data", "no page", "page is no text", "refused", "odd status"],
)
def test_checkout_answer_that_proves_nothing_is_unusable(
    paystack: responses.RequestsMock, gateway: PaystackGateway, answer: dict[str, Any]
) -> None:
    paystack.post(INITIALIZE, json=answer)

    with pytest.raises(PaymentGatewayUnavailableError):
        gateway.start_checkout(a_request())
