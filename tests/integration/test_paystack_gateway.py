"""The gateway against Paystack's HTTP, faked at the transport."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import responses

from adapters.paystack import PaystackGateway
from adapters.paystack.gateway import MAX_ANSWER_BYTES, MAX_WEBHOOK_BYTES
from adapters.paystack.signature import sign
from creditcore.domain.errors import (
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    WebhookRefusedError,
)
from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment, PaymentStatus
from creditcore.ports.payments import CheckoutRequest, PaymentGateway, WebhookNotice

BASE_URL = "https://api.paystack.co"
SANDBOX_URL = "http://127.0.0.1:8001/paystack"
SECRET_KEY = "sk_test_0f3c9a7be1"
REFERENCE = "tp-01JD9K7Q2M8F"
INITIALIZE = f"{BASE_URL}/transaction/initialize"
VERIFY = f"{BASE_URL}/transaction/verify/{REFERENCE}"
PAGE = "https://checkout.paystack.com/k3v9x2m8p1q7z4a"


@pytest.fixture
def paystack() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gateway() -> PaystackGateway:
    return PaystackGateway(BASE_URL, SECRET_KEY)


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


def test_adapter_fits_the_port(gateway: PaystackGateway) -> None:
    port: PaymentGateway = gateway

    assert port is gateway


# Checkout


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


def test_checkout_offers_the_channels_it_was_given(paystack: responses.RequestsMock) -> None:
    paystack.post(INITIALIZE, json=a_checkout())
    gateway = PaystackGateway(BASE_URL, SECRET_KEY, channels=["mobile_money"])

    gateway.start_checkout(a_request())

    body = paystack.calls[0].request.body
    assert body is not None
    assert json.loads(body)["channels"] == ["mobile_money"]


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


# Verification


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


# What can go wrong in either call


def error_of_both_calls(
    paystack: responses.RequestsMock, gateway: PaystackGateway, **answer: Any
) -> str:
    """Let both calls meet the same answer; return what both errors say, which is the same."""
    paystack.post(INITIALIZE, **answer)
    paystack.get(VERIFY, **answer)
    with pytest.raises(PaymentGatewayUnavailableError) as from_checkout:
        gateway.start_checkout(a_request())
    with pytest.raises(PaymentGatewayUnavailableError) as from_verify:
        gateway.verify(REFERENCE)
    assert str(from_checkout.value) == str(from_verify.value)
    return str(from_verify.value)


@pytest.mark.parametrize("http_status", [429, 500, 502, 503, 504, 402, 418])
def test_any_other_status_is_unavailable(
    paystack: responses.RequestsMock, gateway: PaystackGateway, http_status: int
) -> None:
    text = error_of_both_calls(
        paystack, gateway, json=a_refusal("Rate limit exceeded!"), status=http_status
    )

    assert str(http_status) in text


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectTimeout(),
        requests.ReadTimeout(),
        requests.ConnectionError("refused"),
        requests.exceptions.SSLError("certificate"),
        requests.exceptions.ChunkedEncodingError("cut off"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_broken_connection_is_unavailable(
    paystack: responses.RequestsMock, gateway: PaystackGateway, error: Exception
) -> None:
    error_of_both_calls(paystack, gateway, body=error)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b"null", b'{"status":NaN}', b"\x1f\x8b"]
)
@pytest.mark.parametrize("http_status", [200, 400, 404])
def test_answer_that_is_no_json_object_is_unavailable(
    paystack: responses.RequestsMock, gateway: PaystackGateway, body: bytes, http_status: int
) -> None:
    error_of_both_calls(paystack, gateway, body=body, status=http_status)


def test_endless_answer_is_unavailable(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    error_of_both_calls(paystack, gateway, body=b" " * (MAX_ANSWER_BYTES + 1))


@pytest.mark.parametrize("location", ["https://example.com/", "/elsewhere", "http://["])
@pytest.mark.parametrize("http_status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    paystack: responses.RequestsMock, gateway: PaystackGateway, http_status: int, location: str
) -> None:
    error_of_both_calls(paystack, gateway, status=http_status, headers={"Location": location})

    assert [call.request.url for call in paystack.calls] == [INITIALIZE, VERIFY]


@pytest.mark.parametrize("http_status", [401, 403, 400])
def test_refused_key_tells_the_operator_what_to_check(
    paystack: responses.RequestsMock, gateway: PaystackGateway, http_status: int
) -> None:
    text = error_of_both_calls(paystack, gateway, json=a_refusal("Invalid key"), status=http_status)

    assert "PAYSTACK_SECRET_KEY" in text


def test_verify_that_is_refused_for_another_reason_is_unavailable(
    paystack: responses.RequestsMock, gateway: PaystackGateway
) -> None:
    paystack.get(VERIFY, json=a_refusal("Something else is wrong"), status=400)

    with pytest.raises(PaymentGatewayUnavailableError, match="Something else is wrong"):
        gateway.verify(REFERENCE)


@pytest.mark.parametrize("http_status", [200, 400, 401, 404, 429, 500])
def test_secret_key_is_in_no_error(
    paystack: responses.RequestsMock, gateway: PaystackGateway, http_status: int
) -> None:
    echo = a_refusal(f"Bearer {SECRET_KEY} is not welcome")
    paystack.post(INITIALIZE, json=echo, status=http_status)

    with pytest.raises(PaymentGatewayError) as caught:
        gateway.start_checkout(a_request())
    chain: list[BaseException] = [caught.value]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    assert not [error for error in chain if SECRET_KEY in str(error) + repr(error)]


def test_secret_key_is_not_in_the_repr(gateway: PaystackGateway) -> None:
    assert SECRET_KEY not in repr(gateway)


@pytest.mark.parametrize("key", ["", "short", "sk_test_line\nbreak", "sk_test_ space", "sk_test_é"])
def test_key_that_no_header_can_carry_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="secret key") as caught:
        PaystackGateway(BASE_URL, key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("base_url", ["", "api.paystack.co", "ftp://api.paystack.co", "https://"])
def test_address_that_is_no_web_address_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="web address"):
        PaystackGateway(base_url, SECRET_KEY)


def test_proxies_and_logins_of_the_environment_are_ignored(
    paystack: responses.RequestsMock, gateway: PaystackGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    paystack.get(VERIFY, json=a_verification())

    gateway.verify(REFERENCE)

    # `responses` keeps what requests would have handed to the transport.
    assert paystack.calls[0].request.req_kwargs["proxies"] == {}  # type: ignore[attr-defined]


# Webhooks


def test_signed_webhook_is_about_its_reference(gateway: PaystackGateway) -> None:
    body = b'{"event":"charge.success","data":{"reference":"tp-01JD9K7Q2M8F","amount":2500}}'

    notice = gateway.authenticate(body, sign(body, SECRET_KEY))

    assert notice == WebhookNotice(kind="charge.success", reference=REFERENCE)


@pytest.mark.parametrize("signature", [None, "", "0" * 128])
def test_unsigned_webhook_is_refused(gateway: PaystackGateway, signature: str | None) -> None:
    with pytest.raises(WebhookRefusedError):
        gateway.authenticate(b'{"event":"charge.success","data":{}}', signature)


def test_webhook_signed_with_the_previous_key_is_accepted() -> None:
    gateway = PaystackGateway(BASE_URL, SECRET_KEY, previous_secret_keys=["sk_test_retiring"])
    body = b'{"event":"refund.processed","data":{"transaction_reference":"tp-1"}}'

    notice = gateway.authenticate(body, sign(body, "sk_test_retiring"))

    assert notice.reference == "tp-1"


def test_webhook_beyond_the_size_limit_is_refused_though_signed(gateway: PaystackGateway) -> None:
    body = b'{"event":"charge.success","data":"' + b"x" * MAX_WEBHOOK_BYTES + b'"}'

    with pytest.raises(WebhookRefusedError, match="too long"):
        gateway.authenticate(body, sign(body, SECRET_KEY))


def test_signed_bytes_that_are_no_webhook_are_refused(gateway: PaystackGateway) -> None:
    body = b"[1, 2, 3]"

    with pytest.raises(WebhookRefusedError):
        gateway.authenticate(body, sign(body, SECRET_KEY))


def test_an_answer_in_drops_is_given_up_on() -> None:
    done = threading.Event()
    dropped: list[bytes] = []

    def drip(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            for _ in range(1000):
                client.sendall(b" ")
                dropped.append(b" ")
                if done.wait(0.01):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=drip, args=(listener,))
        server.start()
        host, port = listener.getsockname()
        gateway = PaystackGateway(
            f"http://{host}:{port}", SECRET_KEY, connect_timeout_s=0.2, read_timeout_s=0.2
        )
        try:
            with pytest.raises(PaymentGatewayUnavailableError, match="in time"):
                gateway.verify(REFERENCE)
        finally:
            done.set()
            server.join()
    assert len(dropped) < 1000, "it was waited for"
