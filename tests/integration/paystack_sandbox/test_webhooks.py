"""Webhooks of the Paystack stand-in: signed, repeated, early, late, and tampered with."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime

import pytest

from tests.integration.paystack_sandbox.client import SECRET, Client, Merchant


def test_webhook_is_signed_over_the_exact_bytes(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout(metadata=json.dumps({"a": 1}))

    paystack.control("/paystack/pay", reference="ref-1")
    body, signature = merchant.next_event()

    assert signature == hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
    event = json.loads(body)
    assert b'": ' not in body
    assert event["event"] == "charge.success"
    assert (event["data"]["reference"], event["data"]["status"], event["data"]["amount"]) == (
        "ref-1",
        "success",
        1000,
    )
    assert (event["data"]["plan"], event["data"]["metadata"]) == ({}, {"a": 1})


def test_webhook_is_retried_until_it_is_accepted(paystack: Client, merchant: Merchant) -> None:
    merchant.statuses = [500, 302]
    paystack.control(
        "/paystack/settings", webhook_url=merchant.url, retry_delays_s=[0.01, 0.01, 0.01]
    )
    paystack.checkout()

    paystack.control("/paystack/pay", reference="ref-1")
    bodies = {merchant.next_event()[0] for _ in range(3)}

    assert len(bodies) == 1
    rows = paystack.deliveries(lambda rows: len(rows) == 3 and rows[-1]["status"] is not None)
    assert [(row["attempt"], row["status"]) for row in rows] == [(1, 500), (2, 302), (3, 200)]


@pytest.mark.parametrize(("tags", "events"), [("+duplicate", 3), ("+nowebhook", 0), ("", 1)])
def test_tags_decide_how_many_webhooks_leave(
    paystack: Client, merchant: Merchant, tags: str, events: int
) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout(email=f"ada{tags}@example.com")

    paystack.control("/paystack/pay", reference="ref-1")

    rows = paystack.all_deliveries_of("ref-1")
    assert len(rows) == events == len({row["id"] for row in rows})


def test_first_webhook_arrives_before_the_redirect(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    page = paystack.checkout(email="ada+firstwebhook@example.com")

    paystack.press(page, "pay")

    assert paystack.recorded("/deliveries")[0]["status"] == 200


def test_late_webhook_leaves_after_the_redirect(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url, late_webhook_s=0.3)
    page = paystack.checkout(email="ada+latewebhook@example.com")

    paystack.press(page, "pay")
    merchant.next_event()

    [delivery] = paystack.recorded("/deliveries")
    paid_at = datetime.fromisoformat(paystack.verified()["paid_at"])
    assert delivery["sent_at"] - paid_at.timestamp() >= 0.3


def test_webhook_can_be_suppressed_and_sent_again(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout()
    paystack.control("/paystack/pay", reference="ref-1", webhook=False)
    assert paystack.recorded("/deliveries") == []

    rows = paystack.control("/paystack/deliver", reference="ref-1", times=4).json()

    assert [row["status"] for row in rows] == [200] * 4
    assert merchant.received.qsize() == 4


def test_tampered_webhook_does_not_match_its_signature(
    paystack: Client, merchant: Merchant
) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout()

    paystack.control("/paystack/deliver", reference="ref-1", tamper=True)
    body, signature = merchant.next_event()

    assert signature != hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
