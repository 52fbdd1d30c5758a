"""The Paystack stand-in misbehaves when told to."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.integration.paystack_sandbox.client import Client
from tests.stack import PATIENCE_S, wait_until


@pytest.mark.parametrize(
    ("tag", "amount", "currency"),
    [("underpay", 999, "USD"), ("overpay", 1038, "USD"), ("wrongcurrency", 1000, "KES")],
)
def test_tags_change_what_was_paid(paystack: Client, tag: str, amount: int, currency: str) -> None:
    paystack.checkout(email=f"ada+{tag}@example.com")
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["amount"], data["currency"], data["requested_amount"]) == (amount, currency, 1000)


@pytest.mark.parametrize(
    ("tag", "metadata"),
    [
        ("metadata0", 0),
        ("metadatanull", None),
        ("metadataempty", ""),
        ("metadatastring", '{"a":1}'),
    ],
)
def test_tags_change_the_shape_of_metadata(paystack: Client, tag: str, metadata: object) -> None:
    paystack.checkout(email=f"ada+{tag}@example.com", metadata=json.dumps({"a": 1}))

    assert paystack.verified()["metadata"] == metadata


def test_slow_tag_keeps_the_caller_waiting(paystack: Client) -> None:
    paystack.control("/paystack/settings", slow_s=0.2)

    assert paystack.initialize(email="ada+slow@example.com").elapsed.total_seconds() >= 0.2


def test_faults_meet_the_next_calls_only(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/faults", endpoint="verify", times=2, status=429)

    statuses = [paystack.verify().status_code for _ in range(3)]

    assert statuses == [429, 429, 200]


def test_faults_that_have_not_happened_can_be_called_off(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/faults", endpoint="verify", times=2, status=500)

    first = paystack.verify()
    paystack.http.delete(f"{paystack.control_base}/paystack/faults", timeout=PATIENCE_S)

    assert (first.status_code, paystack.verify().status_code) == (500, 200)


def test_rate_limit_is_worded_as_documented(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="list", status=429)

    page = paystack.list()

    assert (page["message"], page["code"]) == ("Rate limit exceeded!", "rate_limited")


def test_dropped_call_has_no_answer(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="initialize", drop=True)

    with pytest.raises(requests.ConnectionError):
        paystack.initialize()

    assert paystack.verify().status_code == 400


def test_fault_after_the_work_leaves_the_outcome_unknown(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="initialize", drop=True, after=True)

    with pytest.raises(requests.ConnectionError):
        paystack.initialize()

    assert paystack.verified()["status"] == "abandoned"
    assert paystack.initialize().json()["code"] == "duplicate_reference"


def verifications(paystack: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = paystack.recorded("/calls", endpoint="verify")
    return found


def test_hanging_call_ends_when_the_caller_gives_up(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="verify", hang=True)

    with pytest.raises(requests.ReadTimeout):
        paystack.http.get(f"{paystack.base}/transaction/verify/ref-1", timeout=(PATIENCE_S, 0.2))
    wait_until(lambda: [call["ended_at"] for call in verifications(paystack)] not in ([], [None]))

    assert [call["status"] for call in verifications(paystack)] == [None]
    assert paystack.verify().status_code == 400


def test_failed_payment_stays_failed(paystack: Client) -> None:
    paystack.checkout()

    failed = paystack.control("/paystack/pay", reference="ref-1", outcome="failed")
    again = paystack.control("/paystack/pay", reference="ref-1")

    assert (failed.json()["status"], again.status_code) == ("failed", 409)


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/paystack/pay", {"reference": "nope"}, 404),
        ("/paystack/deliver", {"reference": "nope"}, 409),
        ("/paystack/faults", {"endpoint": "nope"}, 400),
        ("/paystack/faults", {"endpoint": "verify", "times": 0}, 400),
        ("/paystack/settings", {"nope": 1}, 400),
        ("/paystack/settings", {"slow_s": "soon"}, 400),
        ("/nope", {}, 404),
    ],
)
def test_control_orders_are_checked(
    paystack: Client, path: str, order: dict[str, Any], status: int
) -> None:
    assert paystack.control(path, **order).status_code == status
