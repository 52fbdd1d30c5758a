"""The form of amounts keeps what somebody chose and typed after any failure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import requests

from adapters.flask_web.web.throttle import CHECKOUT_PER_PERSON
from creditcore import PurchaseState
from tests.e2e.buyer import Buyer, a_buyer, trouble_at_paystack
from tests.stack import Stack

START = "/api/checkout/start"


@pytest.fixture
def buyer(sqlite_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(sqlite_stack, tags="+nowebhook") as buyer:
        yield buyer


def chosen(page: requests.Response) -> tuple[str, str]:
    """Return which amount a page has chosen, and what stands in the field for another."""
    [plan] = re.findall(r'name="amount_usd"[^>]* value="([^"]*)"[^>]* checked>', page.text)
    [typed] = re.findall(r'name="custom_usd"[^>]* value="([^"]*)"', page.text)
    return plan, html.unescape(typed)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"amount_usd": "20", "custom_usd": ""}, ("20", "")),
        ({"amount_usd": "20", "custom_usd": "37"}, ("20", "37")),
        ({"amount_usd": "other", "custom_usd": "37"}, ("other", "37")),
        # A page of an earlier price list.
        ({"amount_usd": "37"}, ("other", "37")),
    ],
)
def test_a_choice_outlives_a_provider_that_does_not_answer(
    buyer: Buyer, sent: dict[str, str], kept: tuple[str, str]
) -> None:
    with trouble_at_paystack(buyer, "initialize", status=503):
        page = buyer.post(START, sent)

    assert page.status_code == 503
    assert "The payment provider is not answering. Nothing was charged" in page.text
    assert 'role="alert"' in page.text
    assert chosen(page) == kept


@pytest.mark.parametrize("typed", ["1", "1001", "10.5", "ten", '"><script>', " "])
def test_a_bad_amount_stays_in_its_field(buyer: Buyer, typed: str) -> None:
    page = buyer.post(START, {"amount_usd": "other", "custom_usd": typed})

    assert page.status_code == 400
    assert chosen(page) == ("other", typed)
    assert "<script>" not in page.text.replace("<script src=", "")


def test_no_choice_at_all_is_asked_for_again(buyer: Buyer) -> None:
    page = buyer.post(START, {})

    assert page.status_code == 400
    assert chosen(page) == ("other", "")


def test_a_choice_outlives_a_person_who_is_told_to_wait(sqlite_stack: Stack) -> None:
    with a_buyer(sqlite_stack) as hasty:
        for _ in range(CHECKOUT_PER_PERSON.amount):
            hasty.buy(10)

        page = hasty.post(START, {"amount_usd": "other", "custom_usd": "37"})

    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    assert "Too many attempts." in page.text
    assert chosen(page) == ("other", "37")


@pytest.mark.parametrize(("usd", "kept"), [(20, ("20", "")), (37, ("other", "37"))])
def test_a_failed_payment_is_chosen_again(buyer: Buyer, usd: int, kept: tuple[str, str]) -> None:
    reference = buyer.buy(usd)
    buyer.pay(reference, outcome="failed")

    page = buyer.come_back(reference)

    assert buyer.purchase(reference).state is PurchaseState.FAILED
    assert chosen(page) == kept


def test_a_paid_amount_is_not_chosen_again(buyer: Buyer) -> None:
    reference = buyer.buy(37)
    buyer.pay(reference)

    page = buyer.come_back(reference)

    assert chosen(page) == ("15", "")
