"""The API of the Paystack stand-in answers as the documented one does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration.paystack_sandbox.client import Client
from tests.stack import PATIENCE_S


def test_wrong_key_is_refused(paystack: Client) -> None:
    paystack.http.headers["authorization"] = "Bearer sk_test_other"

    answer = paystack.initialize()

    assert answer.status_code == 401
    assert (answer.json()["status"], answer.json()["message"]) == (False, "Invalid key")


def test_initialize_returns_a_checkout_page(paystack: Client) -> None:
    answer = paystack.initialize()

    assert answer.json()["message"] == "Authorization URL created"
    data = answer.json()["data"]
    assert data["reference"] == "ref-1"
    assert data["authorization_url"] == f"{paystack.base}/checkout/{data['access_code']}"


def test_initialize_accepts_form_bodies_and_makes_up_a_reference(paystack: Client) -> None:
    fields = {"email": "ada@example.com", "amount": "1000", "currency": "USD"}

    answer = paystack.http.post(
        f"{paystack.base}/transaction/initialize", data=fields, timeout=PATIENCE_S
    )

    assert answer.status_code == 200
    assert answer.json()["data"]["reference"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": 100.5}, '"amount" must be an integer'),
        ({"amount": "100.50"}, '"amount" must be an integer'),
        ({"amount": True}, '"amount" must be an integer'),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"amount": -5}, "Invalid Amount Sent"),
        ({"amount": ...}, "Invalid Amount Sent"),
        ({"amount": 199}, "Invalid Amount Sent"),
        ({"amount": 299, "currency": "KES"}, "Invalid Amount Sent"),
        ({"currency": "EUR"}, "Currency not supported by merchant"),
        ({"currency": ["USD"]}, "Currency not supported by merchant"),
        ({"email": "nobody"}, "Invalid Email Address Passed"),
        ({"email": ...}, "Invalid Email Address Passed"),
        ({"reference": "a_b"}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"reference": ["a"]}, "reference"),
        ({"callback_url": "/billing"}, "callback_url"),
        ({"metadata": 7}, "metadata"),
        ({"metadata": "{"}, "metadata"),
        ({"channels": ["pigeon"]}, "channels"),
        (
            {"channels": ["mobile_money"]},
            "No active channel to process transaction. Please contact merchant",
        ),
    ],
)
def test_initialize_refuses_bad_fields(
    paystack: Client, change: dict[str, Any], message: str
) -> None:
    answer = paystack.initialize(**change)

    assert answer.status_code == 400
    assert answer.json()["status"] is False
    assert message in answer.json()["message"]
    # A refused call does not use the reference up.
    assert paystack.initialize().status_code == 200


@pytest.mark.parametrize("amount", [1000, "1000", 1000.0])
def test_initialize_accepts_whole_amounts_in_any_dress(paystack: Client, amount: object) -> None:
    paystack.checkout(amount=amount)

    assert paystack.verified()["requested_amount"] == 1000


def test_reference_is_unique_for_ever(paystack: Client) -> None:
    paystack.checkout()

    answer = paystack.initialize(amount=5000)

    assert answer.status_code == 400
    assert answer.json() == {
        "status": False,
        "message": "Duplicate Transaction Reference",
        "meta": {"nextStep": "Try and create the Transaction or Charge with a new reference"},
        "type": "validation_error",
        "code": "duplicate_reference",
        "errorCodeMappingNotFound": False,
    }


def test_unpaid_transaction_is_abandoned(paystack: Client) -> None:
    paystack.checkout()

    data = paystack.verified()

    assert (data["status"], data["paid_at"], data["authorization"]) == ("abandoned", None, {})


def test_unknown_reference_is_a_validation_error(paystack: Client) -> None:
    answer = paystack.verify("nope")

    assert answer.status_code == 400
    assert answer.json()["code"] == "transaction_not_found"
    assert answer.json()["message"] == "Transaction reference not found."


def test_paid_transaction_is_verified_in_full(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["status"], data["amount"], data["currency"], data["fees"]) == (
        "success",
        1000,
        "USD",
        38,
    )
    assert data["authorization"]["reusable"] is True
    assert data["id"] > 2**32
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["paid_at"])


def test_mobile_money_cannot_be_charged_again(paystack: Client) -> None:
    paystack.checkout(currency="KES", amount=65000, channels=["mobile_money"])
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["channel"], data["authorization"]["reusable"]) == ("mobile_money", False)


def test_metadata_keep_their_types_only_in_a_string(paystack: Client) -> None:
    paystack.checkout(reference="as-string", metadata=json.dumps({"a": 1}))
    paystack.checkout(reference="as-object", metadata={"a": 1})

    assert paystack.verified("as-string")["metadata"] == {"a": 1}
    assert paystack.verified("as-object")["metadata"] == {"a": "1"}


def test_listing_filters_and_pages(paystack: Client) -> None:
    for number in range(5):
        paystack.checkout(reference=f"r{number}")
    for number in range(3):
        paystack.control("/paystack/pay", reference=f"r{number}")

    page = paystack.list(status="success", perPage=2, page=2)
    first = paystack.list(use_cursor="true", perPage=3)
    second = paystack.list(use_cursor="true", perPage=3, next=first["meta"]["next"])

    assert [row["reference"] for row in page["data"]] == ["r0"]
    assert page["meta"] == {
        "total": 3,
        "total_volume": 3000,
        "skipped": 2,
        "perPage": 2,
        "page": 2,
        "pageCount": 2,
    }
    assert [row["reference"] for row in first["data"] + second["data"]] == [
        "r4",
        "r3",
        "r2",
        "r1",
        "r0",
    ]
    assert second["meta"]["next"] is None
    assert paystack.list(**{"from": "2999-01-01"})["data"] == []


def test_transaction_is_fetched_by_its_number(paystack: Client) -> None:
    paystack.checkout()
    number = paystack.verified()["id"]

    found = paystack.http.get(f"{paystack.base}/transaction/{number}", timeout=PATIENCE_S)
    missing = paystack.http.get(f"{paystack.base}/transaction/1", timeout=PATIENCE_S)

    assert found.json()["data"]["reference"] == "ref-1"
    assert (missing.status_code, missing.json()["message"]) == (404, "Transaction not found")


def test_calls_are_recorded_as_received(paystack: Client) -> None:
    paystack.checkout(amount=4321)

    (call,) = paystack.recorded("/calls", endpoint="initialize")

    assert (json.loads(call["body"])["amount"], call["status"]) == (4321, 200)


def test_what_was_paid_is_settled_by_day_and_currency(paystack: Client) -> None:
    for reference, currency in (("ref-1", "USD"), ("ref-2", "USD"), ("ref-3", "KES")):
        paystack.checkout(reference=reference, currency=currency)
        paystack.control("/paystack/pay", reference=reference, webhook=False)
    paystack.checkout(reference="ref-4")

    answer = paystack.http.get(f"{paystack.base}/settlement", timeout=PATIENCE_S).json()
    dollars, shillings = answer["data"]
    rows = paystack.http.get(
        f"{paystack.base}/settlement/{dollars['id']}/transactions", timeout=PATIENCE_S
    ).json()["data"]

    assert (dollars["currency"], shillings["currency"]) == ("USD", "KES")
    assert dollars["total_processed"] == 2000
    assert dollars["total_amount"] == 2000 - dollars["total_fees"]
    assert [row["reference"] for row in rows] == ["ref-1", "ref-2"]
