"""A checkout in Kenyan shillings, and how a program starts one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from creditcore import Credits, Money, PurchaseState
from tests.e2e.buyer import WELCOME, Buyer, a_buyer, alerts_about, trouble_at_paystack
from tests.stack import Stack, running_stack

START = "/api/checkout/start"
QUOTE = "/api/checkout/quote"
TEN_DOLLARS = Money(129_000, "KES")

BAD_AMOUNTS = {
    "zero": '{"amount_usd": 0}',
    "below the least": '{"amount_usd": 1}',
    "above the most": '{"amount_usd": 1001}',
    "negative": '{"amount_usd": -10}',
    "cents": '{"amount_usd": "10.5"}',
    "float": '{"amount_usd": 10.0}',
    "exponent": '{"amount_usd": 1e1}',
    "not a number": '{"amount_usd": NaN}',
    "infinite": '{"amount_usd": Infinity}',
    "true": '{"amount_usd": true}',
    "null": '{"amount_usd": null}',
    "list": '{"amount_usd": []}',
    "list of one": '{"amount_usd": [10]}',
    "object": '{"amount_usd": {}}',
    "empty": '{"amount_usd": ""}',
    "huge": '{"amount_usd": 1' + "0" * 30 + "}",
    "endless": '{"amount_usd": ' + "9" * 10_000 + "}",
    "other digits": '{"amount_usd": "\\u0661\\u0660"}',
    "half a character": '{"amount_usd": "\\ud800"}',
    "nul": '{"amount_usd": "10\\u0000"}',
    "missing": "{}",
    "unknown field": '{"amount_usd": 10, "credits": 1000000}',
    "another name": '{"amount": 10}',
    "not an object": "[10]",
    "text": '"10"',
    "nothing": "",
    "no JSON": "amount_usd=10",
    "deep": '{"amount_usd": ' + "[" * 7_000 + "]" * 7_000 + "}",
}


@pytest.fixture(scope="module")
def kes_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway that charges in shillings."""
    data_dir = tmp_path_factory.mktemp("kes-stack")
    with running_stack("", data_dir, PAYSTACK_CURRENCY="KES", USD_TO_KES_RATE="129") as stack:
        yield stack


@pytest.fixture
def buyer(kes_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(kes_stack, tags="+nowebhook") as buyer:
        yield buyer


def test_paystack_is_asked_for_the_price_in_subunits(buyer: Buyer) -> None:
    reference = buyer.buy(10)

    [asked] = [
        body
        for call in buyer.control("GET", "calls", params={"endpoint": "initialize"})
        if (body := json.loads(call["body"]))["reference"] == reference
    ]
    assert int(asked["amount"]) == 129_000
    assert asked["currency"] == "KES"
    assert asked["email"] == buyer.email


def test_ten_dollars_grant_the_same_in_every_currency(buyer: Buyer) -> None:
    reference = buyer.buy(10)
    buyer.pay(reference)

    page = buyer.come_back(reference)

    purchase = buyer.purchase(reference)
    assert "KES\u00a01,290.00" in page.text
    assert purchase.paid == TEN_DOLLARS
    assert str(purchase.offer.rate) == "129"
    buyer.assert_credited_once(reference)


def test_the_page_shows_the_price_and_the_rate_before_it_is_paid(buyer: Buyer) -> None:
    page = buyer.get("/dashboard/billing").text

    assert "KES\u00a01,935.00" in page
    assert "1\u00a0USD = KES\u00a0129.00" in page


@pytest.mark.parametrize(
    ("tag", "paid"),
    [("underpay", Money(128_999, "KES")), ("wrongcurrency", Money(129_000, "USD"))],
)
def test_what_does_not_match_the_quote_waits_for_a_person(
    kes_stack: Stack, tag: str, paid: Money
) -> None:
    with a_buyer(kes_stack, tags=f"+{tag}+nowebhook") as buyer:
        reference = buyer.buy(10)
        buyer.pay(reference)

        page = buyer.come_back(reference)

        purchase = buyer.purchase(reference)
        [alert] = alerts_about(kes_stack, reference)
        assert "We need to look at your payment" in page.text
        assert purchase.state is PurchaseState.UNDER_REVIEW
        assert purchase.paid == paid
        assert "Nothing was credited" in alert.message
        buyer.assert_not_credited()


def test_a_program_is_told_all_about_the_checkout(kes_stack: Stack, buyer: Buyer) -> None:
    answer = buyer.post_json(START, {"amount_usd": 10})

    told = answer.json()
    purchase = buyer.purchase(told["reference"])
    assert answer.status_code == 201
    assert told == {
        "reference": purchase.reference,
        "authorization_url": purchase.checkout_url,
        "amount": {"minor_units": 129_000, "currency": "KES"},
        "exchange_rate": "129",
        "credits": "2000",
        "expires_at": purchase.expires_at.isoformat(),
    }
    assert told["authorization_url"].startswith(kes_stack.sandbox.base_url)
    assert datetime.fromisoformat(told["expires_at"]) - purchase.created_at == timedelta(minutes=30)
    assert purchase.state is PurchaseState.PENDING


@pytest.mark.parametrize("usd", [2, 37, 1_000])
def test_a_quote_is_what_starting_would_lock(buyer: Buyer, usd: int) -> None:
    quote = buyer.get(QUOTE, params={"amount_usd": usd})

    told = buyer.post_json(START, {"amount_usd": usd}).json()
    assert quote.status_code == 200
    summary = quote.json().pop("summary")
    assert summary == f"KES\u00a0{129 * usd:,}.00 for ${2 * usd:,}.00 of credit"
    assert quote.json() == {
        "amount": told["amount"],
        "exchange_rate": "129",
        "credits": told["credits"],
        "summary": summary,
    }


def test_a_quote_stores_nothing(buyer: Buyer) -> None:
    buyer.get(QUOTE, params={"amount_usd": 37})

    assert buyer.purchases() == []


@pytest.mark.parametrize("amount", ["", "0", "1", "1001", "10.5", "ten", "-5", "1e1", "9" * 3_000])
def test_a_bad_amount_has_no_quote(buyer: Buyer, amount: str) -> None:
    answer = buyer.get(QUOTE, params={"amount_usd": amount})

    assert answer.status_code == 400
    assert "whole number of US dollars" in answer.json()["error"]["message"]


def test_an_amount_that_is_not_named_has_no_quote(buyer: Buyer) -> None:
    assert buyer.get(QUOTE).status_code == 400


def test_a_typed_amount_is_priced_on_a_page_without_scripts(buyer: Buyer) -> None:
    with trouble_at_paystack(buyer, "initialize", status=503):
        page = buyer.post(START, {"amount_usd": "other", "custom_usd": "37"}).text

    assert "KES\u00a04,773.00 for $74.00 of credit" in page
    assert "rounded up to a whole shilling" in page


def test_every_start_is_a_purchase_of_its_own(buyer: Buyer) -> None:
    references = {buyer.buy(10) for _ in range(3)}

    assert {purchase.reference for purchase in buyer.purchases()} == references
    assert len(references) == 3
    assert buyer.balance == WELCOME


def test_a_stranger_cannot_start_a_checkout(kes_stack: Stack) -> None:
    with Buyer(kes_stack) as stranger:
        answers = [
            stranger.post_json(START, {"amount_usd": 10}),
            stranger.get(QUOTE, params={"amount_usd": 10}),
        ]

    for answer in answers:
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "not_signed_in"


def test_limits_are_for_sale_themselves(buyer: Buyer) -> None:
    least, most = (buyer.purchase(buyer.buy(usd)) for usd in (2, 1_000))

    assert least.offer.credits == Credits.of(400)
    assert most.offer.credits == Credits.of(200_000)


@pytest.mark.parametrize("body", BAD_AMOUNTS.values(), ids=BAD_AMOUNTS.keys())
def test_a_bad_amount_is_refused_before_anything_is_stored(buyer: Buyer, body: str) -> None:
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "x-csrftoken": buyer.token(),
    }

    answer = buyer.send("POST", START, data=body, headers=headers)

    assert answer.status_code == 400, answer.text
    assert re.search(r"whole number of US dollars|Send", answer.json()["error"]["message"])
    assert buyer.purchases() == []


@pytest.mark.parametrize("amount", ["", "0", "1", "1001", "10.5", "ten", "-5", " ", "1e1"])
def test_a_bad_amount_in_the_form_is_explained_beside_it(buyer: Buyer, amount: str) -> None:
    page = buyer.post(START, {"amount_usd": "other", "custom_usd": amount})

    assert page.status_code == 400
    assert "Choose a whole number of US dollars from 2 to 1,000." in page.text
    assert buyer.purchases() == []
