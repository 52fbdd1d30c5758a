"""Only what Paystack has signed is taken for a webhook."""

from __future__ import annotations

import pytest

from adapters.paystack import PaystackGateway
from adapters.paystack.gateway import MAX_WEBHOOK_BYTES
from adapters.paystack.signature import sign
from creditcore.domain.errors import (
    WebhookRefusedError,
)
from creditcore.ports.payments import EventKind, WebhookNotice
from tests.integration.paystack_gateway.messages import (
    BASE_URL,
    REFERENCE,
    SECRET_KEY,
)


def test_signed_webhook_is_about_its_reference(gateway: PaystackGateway) -> None:
    body = b'{"event":"charge.success","data":{"reference":"tp-01JD9K7Q2M8F","amount":2500}}'

    notice = gateway.authenticate(body, sign(body, SECRET_KEY))

    assert notice == WebhookNotice(kind=EventKind.PAID, name="charge.success", reference=REFERENCE)


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


@pytest.mark.parametrize("body", [b"[1, 2, 3]", b"\xff", b""], ids=repr)
def test_signed_bytes_that_are_no_webhook_say_nothing(
    gateway: PaystackGateway, body: bytes
) -> None:
    notice = gateway.authenticate(body, sign(body, SECRET_KEY))

    assert notice == WebhookNotice(kind=EventKind.UNREADABLE, name="", reference="")
    with pytest.raises(WebhookRefusedError):
        gateway.authenticate(body, sign(body, "sk_test_guessed"))
