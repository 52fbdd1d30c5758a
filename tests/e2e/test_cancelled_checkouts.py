"""Somebody who gives up on Paystack's page is told the truth, by every way back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from adapters.flask_web.web.throttle import CONFIRM_PER_ADDRESS
from creditcore import PurchaseState
from tests.e2e.buyer import Buyer, a_buyer, trouble_at_paystack
from tests.stack import Stack

BILLING = "/dashboard/billing"
MARKED = f"{BILLING}?cancelled=1"
NOTHING = "You have not paid, and nothing was charged."


@pytest.fixture
def buyer(sqlite_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(sqlite_stack, tags="+nowebhook") as buyer:
        yield buyer


def cancel_url(buyer: Buyer, reference: str) -> str:
    """Return where Paystack was told to lead payers who cancel."""
    calls = buyer.control("GET", "calls", params={"endpoint": "initialize"})
    bodies = [json.loads(call["body"]) for call in calls]
    [metadata] = [body["metadata"] for body in bodies if body["reference"] == reference]
    url: str = json.loads(metadata)["cancel_action"]
    return url


def follow(buyer: Buyer, address: str = MARKED) -> str:
    """Open an address as a browser does; return what the last page says."""
    answer = buyer.get(address, allow_redirects=True)
    assert answer.status_code == 200
    assert "cancelled" not in answer.url
    return answer.text


def asked_about(buyer: Buyer, references: set[str]) -> list[str]:
    """Return which of these payments Paystack was asked to verify."""
    paths = [call["path"] for call in buyer.control("GET", "calls", params={"endpoint": "verify"})]
    return [path.rsplit("/", 1)[1] for path in paths if path.rsplit("/", 1)[1] in references]


def test_who_cancels_is_told_once_that_nothing_was_charged(buyer: Buyer) -> None:
    reference = buyer.buy()

    page = follow(buyer, cancel_url(buyer, reference))
    reloaded = follow(buyer, BILLING)
    again = follow(buyer)

    assert NOTHING in page
    assert "Continue to payment" in page
    assert NOTHING not in reloaded
    # Who says so again is told again: it is still true.
    assert NOTHING in again
    assert buyer.purchase(reference).state is PurchaseState.PENDING
    buyer.assert_not_credited()


@pytest.mark.parametrize("marker", ["1", "", "<script>alert(1)</script>", "x" * 3_000, "%ff"])
def test_a_forged_marker_says_nothing(buyer: Buyer, marker: str) -> None:
    page = follow(buyer, f"{BILLING}?cancelled={marker}")

    assert NOTHING not in page
    assert "alert(1)" not in page


def test_a_forged_marker_does_not_hide_a_payment(buyer: Buyer) -> None:
    reference = buyer.buy()
    buyer.pay(reference)

    page = follow(buyer)

    assert NOTHING not in page
    assert "$20.00 added" in page
    buyer.assert_credited_once(reference)


def test_a_payment_that_failed_before_it_was_given_up_says_so(buyer: Buyer) -> None:
    reference = buyer.buy()
    buyer.pay(reference, outcome="failed")

    page = follow(buyer)

    assert "The payment did not go through" in page
    assert NOTHING not in page


def test_nothing_is_promised_while_paystack_is_silent(buyer: Buyer) -> None:
    buyer.buy()

    with trouble_at_paystack(buyer, "verify", status=503):
        page = follow(buyer)

    assert NOTHING not in page
    assert "Paystack cannot be asked about your payment now." in page


def test_a_forged_marker_asks_about_few_payments_and_only_ones_own(
    buyer: Buyer, sqlite_stack: Stack
) -> None:
    references = {buyer.buy() for _ in range(5)}
    for reference in references:
        # Else the worker may ask about them too.
        buyer.hide_from_worker(reference)
    with a_buyer(sqlite_stack) as somebody_else:
        follow(somebody_else)
        assert asked_about(buyer, references) == []

        follow(buyer)

    assert len(asked_about(buyer, references)) == 3


def test_no_visitor_can_make_us_ask_without_end(buyer: Buyer) -> None:
    statuses = [buyer.get(MARKED).status_code for _ in range(CONFIRM_PER_ADDRESS.amount)]
    refused = buyer.get(MARKED)

    assert set(statuses) == {302}
    assert refused.status_code == 429


def test_a_stranger_signs_in_first(sqlite_stack: Stack) -> None:
    with Buyer(sqlite_stack) as stranger:
        answer = stranger.get(MARKED)

    assert answer.status_code == 302
    assert re.match("/sign-in\\?", answer.headers["location"])
    assert NOTHING not in answer.text
