"""Orders of programs that pay by phone: who may give them, and which are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.buyer import Buyer, a_buyer
from tests.e2e.phones import LOST, MOBILE, MPESA, PAYS, ask, charges, standing
from tests.stack import Stack

BAD_ORDERS = {
    "nothing": "",
    "no JSON": "amount_kes=650",
    "not an object": "[650]",
    "no amount": '{"phone": "0710000000"}',
    "no phone": '{"amount_kes": 650}',
    "both amounts": '{"amount_kes": 650, "amount_usd": 5, "phone": "0710000000"}',
    "NaN": '{"amount_kes": NaN, "phone": "0710000000"}',
    "infinite": '{"amount_kes": Infinity, "phone": "0710000000"}',
    "float": '{"amount_kes": 650.0, "phone": "0710000000"}',
    "cents": '{"amount_kes": 650.5, "phone": "0710000000"}',
    "exponent": '{"amount_kes": 1e3, "phone": "0710000000"}',
    "text": '{"amount_kes": "650", "phone": "0710000000"}',
    "words": '{"amount_kes": "many", "phone": "0710000000"}',
    "true": '{"amount_kes": true, "phone": "0710000000"}',
    "null": '{"amount_kes": null, "phone": "0710000000"}',
    "list": '{"amount_kes": [650], "phone": "0710000000"}',
    "object": '{"amount_kes": {}, "phone": "0710000000"}',
    "zero": '{"amount_kes": 0, "phone": "0710000000"}',
    "negative": '{"amount_kes": -650, "phone": "0710000000"}',
    "below the least": '{"amount_kes": 2, "phone": "0710000000"}',
    "above the most": '{"amount_kes": 129501, "phone": "0710000000"}',
    "huge": '{"amount_kes": 1' + "0" * 30 + ', "phone": "0710000000"}',
    "endless": '{"amount_kes": ' + "9" * 10_000 + ', "phone": "0710000000"}',
    "too few dollars": '{"amount_usd": 1, "phone": "0710000000"}',
    "too many dollars": '{"amount_usd": 1001, "phone": "0710000000"}',
    "unknown field": '{"amount_kes": 650, "phone": "0710000000", "credits": 9}',
    "phone of digits": '{"amount_kes": 650, "phone": 710000000}',
    "phone of nothing": '{"amount_kes": 650, "phone": ""}',
    "phone too short": '{"amount_kes": 650, "phone": "0710"}',
    "phone too long": '{"amount_kes": 650, "phone": "' + "0710000000" * 10 + '"}',
    "phone of letters": '{"amount_kes": 650, "phone": "0710 ABC 000"}',
    "phone of Uganda": '{"amount_kes": 650, "phone": "+256772123456"}',
    "phone with nul": '{"amount_kes": 650, "phone": "0710\\u0000000000"}',
    "phone with extension": '{"amount_kes": 650, "phone": "0710000000;ext=5"}',
    "bad attempt": '{"amount_kes": 650, "phone": "0710000000", "attempt": "a b"}',
    "deep": '{"amount_kes": ' + "[" * 7_000 + "]" * 7_000 + "}",
}


@pytest.fixture
def buyer(phone_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(phone_stack) as buyer:
        yield buyer


@pytest.mark.parametrize("body", BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_a_bad_order_is_refused_before_anything_is_stored(buyer: Buyer, body: str) -> None:
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "x-csrftoken": buyer.token(),
    }

    answer = buyer.send("POST", MPESA, data=body, headers=headers)

    assert answer.status_code == 400, answer.text
    assert len(answer.json()["error"]["message"]) > 10
    assert buyer.purchases() == []


def test_strangers_and_forged_forms_are_refused(phone_stack: Stack, buyer: Buyer) -> None:
    order = {"amount_kes": 650, "phone": PAYS}
    with Buyer(phone_stack) as stranger:
        unknown = stranger.post_json(MPESA, order)
        looks = stranger.get("/api/checkout/cc-1", headers={"accept": "application/json"})
    forged = buyer.send("POST", MPESA, json=order, headers={"accept": "application/json"})

    assert (unknown.status_code, looks.status_code, forged.status_code) == (401, 401, 400)
    assert forged.json()["error"]["code"] == "csrf_failed"
    assert charges(buyer) == []


def test_a_purchase_is_shown_to_its_buyer_alone(phone_stack: Stack, buyer: Buyer) -> None:
    reference = ask(buyer, LOST)["reference"]

    with a_buyer(phone_stack) as other:
        answers = [
            other.get(f"/api/checkout/{reference}"),
            other.get(f"/dashboard/billing/payments/{reference}"),
            other.get("/api/checkout/cc-none"),
            other.get("/api/checkout/" + "x" * 3_000),
        ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert buyer.get(f"/dashboard/billing/payments/{reference}").status_code == 200


def test_a_purchase_on_the_providers_page_is_told_too(buyer: Buyer) -> None:
    reference = buyer.buy(5)

    told = standing(buyer, reference)

    assert (told["status"], told["amount"], told["currency"]) == ("pending", "5.00", "USD")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", MPESA), ("PUT", MPESA), ("DELETE", MOBILE), ("POST", "/api/checkout/cc-1")],
)
def test_other_methods_are_refused(buyer: Buyer, method: str, path: str) -> None:
    answer = buyer.send(method, path, headers={"x-csrftoken": buyer.token()})

    assert answer.status_code in (404, 405)
