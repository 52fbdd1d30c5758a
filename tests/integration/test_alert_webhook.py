"""Signed as Standard Webhooks has it, so that its libraries take the message and no forged one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
import requests
import responses

from adapters.webhooks import StandardWebhook
from adapters.webhooks.sender import secret_bytes, signed_headers
from creditcore.domain.errors import AlertsUndeliveredError
from creditcore.testing.memory import FixedClock

URL = "https://ops.example/hook"
SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes at least").decode()
EVENT = {"type": "alerts", "data": {"raised": []}}


@pytest.fixture
def webhook() -> StandardWebhook:
    return StandardWebhook(url=URL, secret=SECRET, clock=FixedClock())


@responses.activate
def test_a_message_is_signed_over_its_id_time_and_body(webhook: StandardWebhook) -> None:
    responses.post(URL, status=204)

    webhook.send("msg_1", EVENT)

    sent = responses.calls[0].request
    headers = sent.headers
    assert json.loads(sent.body) == EVENT
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + sent.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(FixedClock().now().timestamp())


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of standard-webhooks/standard-webhooks, libraries/python: its test vector.
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@responses.activate
@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 500])
def test_anything_but_a_yes_is_to_be_tried_again(webhook: StandardWebhook, status: int) -> None:
    responses.post(URL, status=status, headers={"location": "https://elsewhere.example"})

    with pytest.raises(AlertsUndeliveredError, match=str(status)):
        webhook.send("msg_1", EVENT)
    assert len(responses.calls) == 1


@responses.activate
def test_a_receiver_that_is_away_is_said_to_be(webhook: StandardWebhook) -> None:
    responses.post(URL, body=requests.ConnectionError())

    with pytest.raises(AlertsUndeliveredError, match="cannot be reached"):
        webhook.send("msg_1", EVENT)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"]
)
def test_a_secret_that_protects_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_bytes(secret)


def test_the_secret_never_shows(webhook: StandardWebhook) -> None:
    assert SECRET not in repr(webhook)
