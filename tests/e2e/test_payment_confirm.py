"""A payment is credited exactly once, by every report of it, at any time, and at any repeat."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests

from creditcore import PurchaseState
from tests.e2e.buyer import (
    BOUGHT,
    PAYMENTS,
    WELCOME,
    Buyer,
    a_buyer,
    a_webhook,
    alerts_about,
    deliveries_of,
    send_webhook,
    signed,
    trouble_at_paystack,
)
from tests.stack import PATIENCE_S, Stack, wait_until
from tests.visitors import Visitor, an_address


@pytest.fixture
def quiet_buyer(stack: Stack) -> Iterator[Buyer]:
    """Somebody about whose payments Paystack never sends a webhook."""
    with a_buyer(stack, tags="+nowebhook") as buyer:
        yield buyer


@dataclass(frozen=True)
class Waiting:
    """Somebody whose payment Paystack does not tell anything about."""

    buyer: Buyer
    reference: str
    answer: Future[requests.Response]


@pytest.fixture(scope="module", autouse=True)
def waiting(postgres_stack: Stack) -> Iterator[Waiting]:
    """Begin what takes a quarter of a minute to be given up beside the other tests."""
    with a_buyer(postgres_stack, tags="+nowebhook") as buyer, ThreadPoolExecutor(1) as browser:
        reference = buyer.buy()
        buyer.hide_from_worker(reference)
        buyer.pay(reference)
        buyer.control("POST", "faults", json={"endpoint": "verify", "hang": True})
        answer = browser.submit(buyer.get, PAYMENTS, params={"reference": reference})
        wait_until(lambda: is_asked_about(buyer, reference))
        yield Waiting(buyer, reference, answer)


def is_asked_about(buyer: Buyer, reference: str) -> bool:
    calls = buyer.control("GET", "calls", params={"endpoint": "verify"})
    return any(call["path"].endswith(reference) for call in calls)


# -- once, in every order -----------------------------------------------------------------


def test_a_hundred_reports_at_once_credit_once(stack: Stack, quiet_buyer: Buyer) -> None:
    reference = quiet_buyer.buy()
    quiet_buyer.pay(reference)
    body = a_webhook(reference)

    def by_return() -> int:
        with Visitor(stack, address=an_address()) as browser:
            return browser.get(PAYMENTS, params={"reference": reference}).status_code

    by_webhook: Callable[[], int] = partial(send_webhook, stack, body, signed(body))
    reports = [by_return, by_webhook] * 50
    secrets.SystemRandom().shuffle(reports)
    with ThreadPoolExecutor(len(reports)) as everybody:
        statuses = list(everybody.map(lambda report: report(), reports))

    assert set(statuses) == {200, 302}
    quiet_buyer.assert_credited_once(reference)
    assert deliveries_of(stack, reference) == [50]


def test_webhook_before_return_credits_once(stack: Stack) -> None:
    with a_buyer(stack, tags="+firstwebhook") as buyer:
        reference = buyer.buy()

        buyer.pay(reference)
        wait_until(lambda: buyer.balance == WELCOME + BOUGHT)
        page = buyer.come_back(reference)

        assert "$20.00 added" in page.text
        buyer.assert_credited_once(reference)


def test_return_before_webhook_credits_once(quiet_buyer: Buyer) -> None:
    reference = quiet_buyer.buy()
    quiet_buyer.pay(reference)

    page = quiet_buyer.come_back(reference)
    deliveries = quiet_buyer.control("POST", "deliver", json={"reference": reference})

    assert "$20.00 added" in page.text
    assert [delivery["status"] for delivery in deliveries] == [200]
    quiet_buyer.assert_credited_once(reference)


def test_a_webhook_sent_three_times_credits_once(stack: Stack) -> None:
    with a_buyer(stack, tags="+duplicate+firstwebhook") as buyer:
        reference = buyer.buy()

        buyer.pay(reference)
        wait_until(lambda: buyer.balance == WELCOME + BOUGHT)

        buyer.assert_credited_once(reference)
        assert deliveries_of(stack, reference) == [3]


def test_the_worker_finds_a_payment_whose_webhook_was_lost(
    stack: Stack, quiet_buyer: Buyer
) -> None:
    reference = quiet_buyer.buy()
    quiet_buyer.pay(reference)

    stack.flask("worker", "--once")

    quiet_buyer.assert_credited_once(reference)


def test_a_payer_who_only_looks_is_not_credited(quiet_buyer: Buyer) -> None:
    reference = quiet_buyer.buy()

    page = quiet_buyer.come_back(reference)

    assert "We are confirming your payment" in page.text
    assert quiet_buyer.purchase(reference).state is PurchaseState.PENDING
    quiet_buyer.assert_not_credited()


def test_money_that_arrives_after_a_failure_counts(quiet_buyer: Buyer) -> None:
    first, second = quiet_buyer.buy(), quiet_buyer.buy()
    quiet_buyer.pay(first, outcome="failed")

    page = quiet_buyer.come_back(first)
    quiet_buyer.pay(second)
    quiet_buyer.come_back(second)

    assert "did not go through" in page.text
    assert quiet_buyer.purchase(first).state is PurchaseState.FAILED
    quiet_buyer.assert_credited_once(second)


# -- who is believed -------------------------------------------------------------------------


@pytest.mark.parametrize("forgery", ["unsigned", "empty", "wrong key", "another body", "md5"])
def test_a_forged_webhook_is_refused_and_leaves_nothing(
    stack: Stack, quiet_buyer: Buyer, forgery: str
) -> None:
    reference = quiet_buyer.buy()
    quiet_buyer.hide_from_worker(reference)
    quiet_buyer.pay(reference)
    body = a_webhook(reference)
    headers = {
        "unsigned": {},
        "empty": {"x-paystack-signature": ""},
        "wrong key": signed(body, "sk_test_guessed"),
        "another body": signed(a_webhook("another")),
        "md5": {"x-paystack-signature": hashlib.md5(body, usedforsecurity=False).hexdigest()},
    }[forgery]

    status = send_webhook(stack, body, headers)

    assert status == 401
    assert deliveries_of(stack, reference) == []
    assert quiet_buyer.purchase(reference).state is PurchaseState.PENDING
    quiet_buyer.assert_not_credited()


def test_an_altered_webhook_is_refused_and_leaves_nothing(stack: Stack, quiet_buyer: Buyer) -> None:
    reference = quiet_buyer.buy()
    quiet_buyer.hide_from_worker(reference)
    quiet_buyer.pay(reference)

    order = {"reference": reference, "tamper": True}
    [delivery] = quiet_buyer.control("POST", "deliver", json=order)

    assert delivery["status"] == 401
    assert deliveries_of(stack, reference) == []
    quiet_buyer.assert_not_credited()


def test_a_webhook_is_never_taken_at_its_word(stack: Stack, quiet_buyer: Buyer) -> None:
    reference = quiet_buyer.buy()
    body = a_webhook(reference, amount=1_000_000, metadata={"credits": 1_000_000})

    status = send_webhook(stack, body, signed(body))

    assert status == 200
    assert deliveries_of(stack, reference) == [1]
    quiet_buyer.assert_not_credited()


def test_a_webhook_about_a_payment_of_others_is_kept_with_an_alert(
    stack: Stack, quiet_buyer: Buyer
) -> None:
    reference = f"elsewhere-{quiet_buyer.person.id}"
    body = a_webhook(reference)

    statuses = [send_webhook(stack, body, signed(body)) for _ in range(2)]

    assert statuses == [200, 200]
    assert deliveries_of(stack, reference) == [2]
    [alert] = wait_until(lambda: alerts_about(stack, reference))
    assert alert.subject == "A payment is not ours"
    quiet_buyer.assert_not_credited()


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"charge.success","data":[]}',
        b'{"event":"charge.success","data":{"reference":[1]}}',
        b'{"event":"charge.success","data":{"reference":"a\\u0000b"}}',
        b'{"event":"some.news","data":{}}',
        b"[]",
        b"\0\xff no JSON at all",
    ],
    ids=repr,
)
def test_a_signed_webhook_that_names_no_payment_is_kept_and_not_sent_again(
    stack: Stack, body: bytes
) -> None:
    assert send_webhook(stack, body, signed(body)) == 200
    assert send_webhook(stack, body, signed(body + b" ")) == 401


@pytest.mark.parametrize("reference", ["never-started", ""], ids=repr)
def test_a_return_about_an_unknown_payment_says_so(quiet_buyer: Buyer, reference: str) -> None:
    page = quiet_buyer.come_back(reference)

    assert page.status_code == 200
    assert "We do not know this payment" in page.text


@pytest.mark.parametrize("tags", ["+underpay", "+wrongcurrency"])
def test_a_payment_that_does_not_match_is_kept_for_review(stack: Stack, tags: str) -> None:
    with a_buyer(stack, tags=tags + "+firstwebhook") as buyer:
        reference = buyer.buy()

        buyer.pay(reference)
        page = buyer.come_back(reference)

        assert "We need to look at your payment" in page.text
        assert buyer.purchase(reference).state is PurchaseState.UNDER_REVIEW
        assert len(alerts_about(stack, reference)) == 1
        buyer.assert_not_credited()


def test_fees_that_the_payer_bore_buy_nothing_more(stack: Stack) -> None:
    with a_buyer(stack, tags="+overpay+nowebhook") as buyer:
        reference = buyer.buy()

        buyer.pay(reference)
        buyer.come_back(reference)

        buyer.assert_credited_once(reference)


# -- when Paystack is in trouble ---------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"drop": True}])
def test_while_paystack_is_down_the_payer_waits_and_is_credited_later(
    quiet_buyer: Buyer, fault: dict[str, Any]
) -> None:
    reference = quiet_buyer.buy()

    with trouble_at_paystack(quiet_buyer, "verify", **fault):
        quiet_buyer.pay(reference)
        page = quiet_buyer.come_back(reference)
        between = quiet_buyer.purchase(reference).state
    later = quiet_buyer.come_back(reference)

    assert page.status_code == 200
    assert "We are confirming your payment" in page.text
    assert between is PurchaseState.PENDING
    assert "$20.00 added" in later.text
    quiet_buyer.assert_credited_once(reference)


def test_a_paystack_that_never_answers_is_given_up_on(
    postgres_stack: Stack, waiting: Waiting
) -> None:
    buyer, reference = waiting.buyer, waiting.reference

    answer = waiting.answer.result(PATIENCE_S)
    between = buyer.purchase(reference).state
    buyer.show_to_worker(reference)
    postgres_stack.flask("worker", "--once")

    assert answer.headers["location"] == f"/dashboard/billing?reference={reference}"
    assert between is PurchaseState.PENDING
    buyer.assert_credited_once(reference)


def test_a_refused_checkout_is_a_failed_purchase_and_a_clear_error(quiet_buyer: Buyer) -> None:
    with trouble_at_paystack(quiet_buyer, "initialize", status=400):
        answer = quiet_buyer.post_json("/api/checkout/start", {"amount_usd": 10})
        page = quiet_buyer.post("/api/checkout/start", {"amount_usd": "10"})

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "payment_rejected"
    assert page.status_code == 503
    assert 'role="alert"' in page.text
    assert [row.state for row in quiet_buyer.purchases()] == [PurchaseState.FAILED] * 2
    quiet_buyer.assert_not_credited()


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"drop": True, "after": True}])
def test_a_checkout_that_may_have_started_is_never_paid_twice(
    quiet_buyer: Buyer, fault: dict[str, Any]
) -> None:
    with trouble_at_paystack(quiet_buyer, "initialize", **fault):
        answer = quiet_buyer.post_json("/api/checkout/start", {"amount_usd": 10})
        page = quiet_buyer.post("/api/checkout/start", {"amount_usd": "10"})
    again = quiet_buyer.buy()
    quiet_buyer.pay(again)
    quiet_buyer.come_back(again)

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert page.status_code == 503
    assert "Nothing was charged" in page.text
    quiet_buyer.assert_credited_once(again)
