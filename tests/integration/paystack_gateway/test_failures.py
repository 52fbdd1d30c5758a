"""What can go wrong in either call: no answer, another answer, and what an error may say."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
import requests
import responses

from adapters.paystack import PaystackGateway
from adapters.paystack.gateway import MAX_ANSWER_BYTES
from creditcore.domain.errors import (
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
)
from tests.integration.paystack_gateway.messages import (
    BASE_URL,
    INITIALIZE,
    REFERENCE,
    SECRET_KEY,
    VERIFY,
    a_refusal,
    a_request,
    a_verification,
)


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
