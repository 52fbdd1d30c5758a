"""The page where payers pay, fail, or give up."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import requests

from tests.integration.paystack_sandbox.client import Client, Merchant
from tests.stack import PATIENCE_S


def test_paying_returns_to_the_callback_with_both_names_of_the_reference(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back?keep=1&empty=")
    shown = requests.get(page, timeout=PATIENCE_S).text

    answer = paystack.press(page, "pay")

    assert all(
        text in shown
        for text in ("SANDBOX", "$10.00", "ada@example.com", 'id="pay"', 'id="decline"')
    )
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert parts.netloc + parts.path == "app.example.com/back"
    wanted = {"keep": ["1"], "empty": [""], "trxref": ["ref-1"], "reference": ["ref-1"]}
    assert parse_qs(parts.query, keep_blank_values=True) == wanted
    assert paystack.verified()["status"] == "success"


def test_first_decline_can_be_tried_again(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back")

    answer = paystack.press(page, "decline")

    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert "declined" in requests.get(page, timeout=PATIENCE_S).text
    assert paystack.verified()["status"] == "abandoned"
    paystack.press(page, "pay")
    assert paystack.verified()["status"] == "success"


def test_second_decline_is_final(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back")
    paystack.press(page, "decline")

    answer = paystack.press(page, "decline")

    assert answer.headers["location"].startswith("https://app.example.com/back?trxref=ref-1")
    data = paystack.verified()
    assert (data["status"], data["gateway_response"]) == ("failed", "Declined")


def test_cancelling_goes_to_the_cancel_action(paystack: Client) -> None:
    metadata = json.dumps({"cancel_action": "https://app.example.com/cancel"})
    page = paystack.checkout(callback_url="https://app.example.com/back", metadata=metadata)
    plain = paystack.checkout(callback_url="https://app.example.com/back", reference="ref-2")

    assert paystack.press(page, "cancel").headers["location"] == "https://app.example.com/cancel"
    assert (
        paystack.press(plain, "cancel")
        .headers["location"]
        .startswith("https://app.example.com/back?")
    )
    assert paystack.verified()["status"] == "abandoned"


def test_finished_payment_cannot_be_paid_again(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    page = paystack.checkout()
    paystack.press(page, "pay")
    merchant.next_event()

    answer = paystack.press(page, "pay")

    assert (answer.status_code, "This payment is complete" in answer.text) == (200, True)
    assert len(paystack.all_deliveries_of("ref-1")) == 1


def test_page_escapes_what_the_merchant_sent(paystack: Client) -> None:
    page = paystack.checkout(email='"<script>alert(1)</script>"@example.com')

    assert "<script>" not in requests.get(page, timeout=PATIENCE_S).text


def test_unknown_access_code_has_a_page_too(paystack: Client) -> None:
    answer = requests.get(f"{paystack.base}/checkout/nope", timeout=PATIENCE_S)

    assert (answer.status_code, "not valid" in answer.text) == (404, True)
