"""What a network wants its payer to type is asked for, passed on once, and kept nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.buyer import WELCOME, Buyer, a_buyer
from tests.e2e.phones import LOST, MOBILE, ask, standing
from tests.stack import Stack, wait_until

ENDS, AGAIN, BORN, LIVES, ELSEWHERE, WANTS_PIN = (
    f"+2547100000{digits}" for digits in range(12, 18)
)
ADDRESS = {"address": "1 High St", "city": "Accra", "state": "GA", "zip_code": "00233"}


@pytest.fixture
def buyer(phone_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(phone_stack) as buyer:
        yield buyer


def type_in(buyer: Buyer, reference: str, **fields: object) -> dict[str, Any]:
    """Type what is asked for, and return what a program is told."""
    answer = buyer.post_json(f"/api/checkout/{reference}/answer", fields)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def typed(buyer: Buyer, reference: str) -> list[dict[str, Any]]:
    """Return what reached Paystack of what was typed."""
    calls = buyer.control("GET", "calls", params={"endpoint": "submit"})
    bodies = [json.loads(call["body"]) for call in calls]
    return [body for body in bodies if body["reference"] == reference]


def test_a_code_of_ghana_is_typed_and_passed_on_once(buyer: Buyer) -> None:
    order = {"amount": 50, "currency": "GHS", "network": "vod", "phone": "055 000 0000"}
    asked = buyer.post_json(MOBILE, order).json()
    reference = asked["reference"]

    told = type_in(buyer, reference, otp="123-456")
    second = buyer.post_json(f"/api/checkout/{reference}/answer", {"otp": "123456"})

    assert (asked["status"], asked["asks_for"]) == ("pending", "otp")
    assert "*110#" in asked["display_text"]
    assert (told["status"], "asks_for" in told) == ("pending", False)
    assert second.status_code == 200
    assert typed(buyer, reference) == [{"otp": "123456", "reference": reference}]
    wait_until(lambda: standing(buyer, reference)["status"] == "paid")
    assert buyer.balance == WELCOME + buyer.purchase(reference).offer.credits


def test_a_wrong_code_is_told_in_plain_words(buyer: Buyer) -> None:
    told = type_in(buyer, ask(buyer, ENDS)["reference"], otp="778899")

    assert (told["status"], "asks_for" in told) == ("failed", False)
    assert told["message"].startswith("The code was not right")
    assert "778899" not in json.dumps(told)
    buyer.assert_not_credited()


def test_one_thing_after_the_other_may_be_asked_for(buyer: Buyer) -> None:
    born, lives = ask(buyer, BORN), ask(buyer, LIVES)
    then_code = type_in(buyer, born["reference"], birthday="1990-12-31")
    then_address = type_in(buyer, lives["reference"], phone="0722 000 000")
    type_in(buyer, born["reference"], otp="123456")
    type_in(buyer, lives["reference"], **ADDRESS)

    assert [row["asks_for"] for row in (born, then_code)] == ["birthday", "otp"]
    assert [row["asks_for"] for row in (lives, then_address)] == ["phone", "address"]
    assert typed(buyer, lives["reference"])[0]["phone"] == "+254722000000"
    for told in (born, lives):
        wait_until(lambda told=told: standing(buyer, told["reference"])["status"] == "paid")


BAD_ANSWERS: tuple[tuple[str, dict[str, object]], ...] = (
    (AGAIN, {}),
    (AGAIN, {"otp": ""}),
    (AGAIN, {"otp": "12"}),
    (AGAIN, {"otp": "1234567890123"}),
    (AGAIN, {"otp": "12 <b>"}),
    (AGAIN, {"otp": 123456}),
    (AGAIN, {"otp": "123456", "amount": "1"}),
    (AGAIN, {"birthday": "1990-12-31"}),
    (BORN, {"birthday": "31.12.1990"}),
    (BORN, {"birthday": "2990-12-31"}),
    (LIVES, {"phone": "0710"}),
)


def test_an_answer_that_cannot_be_right_goes_nowhere(buyer: Buyer) -> None:
    phones = (AGAIN, BORN, LIVES, WANTS_PIN, LOST)
    references = {phone: ask(buyer, phone)["reference"] for phone in phones}

    for phone, fields in BAD_ANSWERS:
        answer = buyer.post_json(f"/api/checkout/{references[phone]}/answer", fields)
        assert answer.status_code == 400, (fields, answer.text)
    told = type_in(buyer, references[WANTS_PIN], pin="1234")
    type_in(buyer, references[LOST], otp="123456")

    assert told["asks_for"] == "pin"
    assert [typed(buyer, reference) for reference in references.values()] == [[]] * len(phones)


def test_codes_are_typed_by_the_buyer_alone_and_not_for_ever(
    phone_stack: Stack, buyer: Buyer
) -> None:
    reference = ask(buyer, AGAIN)["reference"]
    path = f"/api/checkout/{reference}/answer"
    with a_buyer(phone_stack) as other:
        strange = other.post_json(path, {"otp": "123456"})
    forged = buyer.send(
        "POST", path, json={"otp": "123456"}, headers={"accept": "application/json"}
    )

    statuses = [buyer.post_json(path, {"otp": "778899"}).status_code for _ in range(11)]

    assert (strange.status_code, forged.status_code) == (404, 400)
    assert statuses == [200] * 10 + [429]
    assert len(typed(buyer, reference)) == 10


def test_pages_ask_for_what_is_wanted(buyer: Buyer) -> None:
    reference = ask(buyer, AGAIN)["reference"]
    path = f"/dashboard/billing/payments/{reference}"
    fresh = buyer.get(path).text
    malformed = buyer.post(f"/api/checkout/{reference}/answer", {"otp": "7 & 8"})
    refused = buyer.post(f"/api/checkout/{reference}/answer", {"otp": "778899"})
    after, reloaded = buyer.get(path).text, buyer.get(path).text
    elsewhere = buyer.get(f"/dashboard/billing/payments/{ask(buyer, ELSEWHERE)['reference']}").text
    pin = buyer.get(f"/dashboard/billing/payments/{ask(buyer, WANTS_PIN)['reference']}").text

    assert "Enter the code" in fresh
    # What is typed would be lost.
    assert "http-equiv" not in fresh
    assert (malformed.status_code, refused.status_code) == (400, 303)
    for page in (malformed.text, after):
        assert "<title>Error: " in page
        assert '<a href="#otp">' in page
    assert "This was not accepted." in after
    assert "Error: " not in reloaded
    assert "778899" not in after + reloaded
    assert "*** is not the code" in after
    assert f'href="{buyer.stack.sandbox.paystack_url}/checkout/' in elsewhere
    assert "we never take PINs" in pin
    assert 'name="pin"' not in pin
