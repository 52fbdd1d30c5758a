"""Buying with a phone: asked once, followed to its end, credited once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import requests

from creditcore import Credits, PurchaseState
from tests.e2e.test_payment_confirm import WELCOME, Buyer, a_buyer, trouble_at_paystack
from tests.stack import Stack, running_stack, wait_until

MPESA = "/api/checkout/mpesa"
MOBILE = "/api/checkout/mobile"
PAYS, CANCELS, SILENT, WRONG_PIN, POOR, ENGAGED, LOST = (
    f"+25471000000{digit}" for digit in range(7)
)

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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway that sells in dollars, shillings and cedis, and phones that answer at once."""
    data_dir = tmp_path_factory.mktemp("mpesa-stack")
    rates = "GHS=15.2"
    with running_stack("", data_dir, USD_TO_KES_RATE="129.5", CURRENCY_RATES=rates) as stack:
        url = f"{stack.sandbox.base_url}/control/paystack/settings"
        requests.post(url, json={"phone_answer_s": 0.2}, timeout=10).raise_for_status()
        yield stack


@pytest.fixture
def buyer(stack: Stack) -> Iterator[Buyer]:
    with a_buyer(stack) as buyer:
        yield buyer


def ask(buyer: Buyer, phone: str = PAYS, **order: Any) -> dict[str, Any]:
    """Ask a phone for money and return what a program is told."""
    answer = buyer.post_json(MPESA, {"amount_kes": 650, "phone": phone} | order)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def standing(buyer: Buyer, reference: str) -> dict[str, Any]:
    answer = buyer.get(f"/api/checkout/{reference}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def charges(buyer: Buyer) -> list[dict[str, Any]]:
    """Return what Paystack was asked to collect from this buyer's phones."""
    bodies = [
        json.loads(call["body"])
        for call in buyer.control("GET", "calls", params={"endpoint": "charge"})
    ]
    return [body for body in bodies if body["email"] == buyer.email]


def age(buyer: Buyer, reference: str, seconds: int) -> None:
    """Let a purchase have been begun some time ago."""
    with buyer.stack.store.begin() as tx:
        tx._session.change(
            "UPDATE transactions SET created_at = created_at - ?, checked_at = NULL"
            " WHERE paystack_ref = ?",
            (seconds * 1_000_000, reference),
        )
        tx.commit()


# -- paying ------------------------------------------------------------------------------------


def test_a_program_is_told_all_about_the_request(buyer: Buyer) -> None:
    told = ask(buyer, LOST)

    purchase = buyer.purchase(told["reference"])
    assert told == {
        "reference": purchase.reference,
        "status": "pending",
        "amount": "650.00",
        "currency": "KES",
        "credits": str(purchase.offer.credits),
        "expires_at": purchase.expires_at.isoformat(),
        "display_text": "Please complete authorization process on your mobile phone",
        "message": (
            "A payment request is on its way to your phone. Unlock the phone and enter your PIN "
            "there."
        ),
    }
    assert datetime.fromisoformat(told["expires_at"]) - purchase.created_at == timedelta(minutes=30)
    assert told == standing(buyer, told["reference"])


def test_paystack_is_asked_exactly_as_documented(buyer: Buyer) -> None:
    told = ask(buyer, "0710 000 006")

    assert charges(buyer) == [
        {
            "email": buyer.email,
            "amount": 65_000,
            "currency": "KES",
            "reference": told["reference"],
            "mobile_money": {"phone": LOST, "provider": "mpesa"},
        }
    ]


def test_what_was_paid_is_credited_by_the_webhook(buyer: Buyer) -> None:
    told = ask(buyer)

    wait_until(lambda: standing(buyer, told["reference"])["status"] == "paid")

    purchase = buyer.purchase(told["reference"])
    assert purchase.channel == "mobile_money"
    assert buyer.balance == WELCOME + purchase.offer.credits
    assert len(buyer.transfers()) == 2
    assert buyer.stack.audit().clean


def test_dollars_are_quoted_in_whole_shillings(buyer: Buyer) -> None:
    told = buyer.post_json(MPESA, {"amount_usd": 5, "phone": LOST}).json()

    assert (told["amount"], told["currency"], told["credits"]) == ("648.00", "KES", "1000")


def test_shillings_buy_their_exact_value(buyer: Buyer) -> None:
    told = ask(buyer, LOST)

    exact = 65_000 * 10 * 10**6 // 1_295
    assert told["credits"] == str(Credits(exact * 2))


@pytest.mark.parametrize(
    "spelling",
    [
        "0710000006",
        "0710 000 006",
        "+254 710-000-006",
        "254710000006",
        "(0710) 000006",
        "710000006",
    ],
)
def test_a_number_may_be_spelled_in_any_way(buyer: Buyer, spelling: str) -> None:
    ask(buyer, spelling)

    assert [body["mobile_money"]["phone"] for body in charges(buyer)] == [LOST]


def test_airtel_and_ghana_pay_by_the_same_code(buyer: Buyer) -> None:
    airtel = buyer.post_json(
        MOBILE, {"amount": 500, "currency": "KES", "network": "atl", "phone": "0730 000 000"}
    )
    ghana = buyer.post_json(
        MOBILE, {"amount": 50, "currency": "GHS", "network": "mtn", "phone": "055 123 4987"}
    )

    assert (airtel.status_code, ghana.status_code) == (201, 201), (airtel.text, ghana.text)
    assert [(body["currency"], body["mobile_money"]) for body in charges(buyer)] == [
        ("KES", {"phone": "+254730000000", "provider": "atl"}),
        ("GHS", {"phone": "+233551234987", "provider": "mtn"}),
    ]
    wait_until(lambda: standing(buyer, ghana.json()["reference"])["status"] == "paid")


@pytest.mark.parametrize(
    "order",
    [
        {"currency": "NGN", "network": "mtn"},
        {"currency": "KES", "network": "mtn"},
        {"currency": "XOF", "network": "mtn"},
        {"currency": "", "network": ""},
        {"currency": "USD", "network": "mpesa"},
    ],
    ids=str,
)
def test_a_network_that_is_not_offered_is_refused(buyer: Buyer, order: dict[str, str]) -> None:
    answer = buyer.post_json(MOBILE, {"amount": 500, "phone": "0710000000"} | order)

    assert answer.status_code == 400, answer.text
    assert buyer.purchases() == []


# -- not paying --------------------------------------------------------------------------------


def has_failed(buyer: Buyer, reference: str) -> bool:
    return bool(standing(buyer, reference)["status"] == "failed")


def test_each_ending_is_told_in_plain_words(buyer: Buyer) -> None:
    phones = {
        CANCELS: "The request was cancelled on the phone.",
        WRONG_PIN: "The PIN was not right.",
        POOR: "There is not enough money in the account.",
        ENGAGED: "The phone is busy with another payment.",
        "+254710000011": "The network is busy or has a fault.",
        # A message that nobody knows is shown as it came.
        "+254710000010": "The provider says: Rule 77 of the agent applies.",
    }
    asked = {phone: ask(buyer, phone)["reference"] for phone in phones}
    for reference in asked.values():
        age(buyer, reference, 10)
    for reference in asked.values():
        # One after another: asking is throttled.
        wait_until(partial(has_failed, buyer, reference))

    for phone, words in phones.items():
        told = standing(buyer, asked[phone])
        assert told["message"].startswith(f"{words} No credit was added."), told
    buyer.assert_not_credited()


def test_nothing_is_asked_in_the_first_ten_seconds(buyer: Buyer) -> None:
    reference = ask(buyer, CANCELS)["reference"]

    assert standing(buyer, reference)["status"] == "pending"
    calls = buyer.control("GET", "calls", params={"endpoint": "verify"})
    assert not [call for call in calls if call["path"].endswith(reference)]


def test_what_is_unknown_is_never_called_failed(buyer: Buyer) -> None:
    reference = ask(buyer, LOST)["reference"]
    age(buyer, reference, 181)

    told = standing(buyer, reference)

    assert told["status"] == "pending"
    assert "Do not pay again" in told["message"]


def test_a_charge_that_is_not_answered_is_looked_up_and_not_sent_again(buyer: Buyer) -> None:
    with trouble_at_paystack(buyer, "charge", status=503, after=True):
        told = ask(buyer)

    assert told["status"] == "pending"
    wait_until(lambda: standing(buyer, told["reference"])["status"] == "paid")
    assert len(charges(buyer)) == 1


def test_a_charge_that_never_arrived_fails_after_the_payers_time(buyer: Buyer) -> None:
    with trouble_at_paystack(buyer, "charge", drop=True):
        reference = ask(buyer)["reference"]
    age(buyer, reference, 60)
    before = standing(buyer, reference)
    age(buyer, reference, 120)

    after = standing(buyer, reference)

    assert (before["status"], after["status"]) == ("pending", "failed")
    assert "never reached the payment provider" in after["message"]


def test_a_number_that_the_network_refuses_at_once(buyer: Buyer) -> None:
    told = ask(buyer, "+254710000009")

    assert told["status"] == "failed"
    assert told["message"].startswith("The payment was declined.")


def test_a_number_that_paystack_does_not_take_is_the_payers_to_mend(buyer: Buyer) -> None:
    number = "+254710000018"

    told = buyer.post_json(MPESA, {"amount_kes": 650, "phone": number})
    page = buyer.post(MOBILE, {"amount_usd": "5", "network": "KES:mpesa", "phone": number})

    assert (told.status_code, page.status_code) == (422, 422)
    error = told.json()["error"]
    assert (error["code"], error["param"]) == ("payer_refused", "phone")
    assert "does not know this number. Check the number" in error["message"]
    assert "does not know this number. Check the number" in page.text
    assert number.removeprefix("+254") in page.text.replace(" ", "")
    assert {row.state for row in buyer.purchases()} == {PurchaseState.FAILED}


# -- once --------------------------------------------------------------------------------------


def test_a_double_click_asks_the_phone_once(buyer: Buyer) -> None:
    order = {"attempt": "form-1", "phone": LOST}

    references = {ask(buyer, **order)["reference"] for _ in range(3)}

    assert len(references) == len(charges(buyer)) == len(buyer.purchases()) == 1


def test_send_again_is_a_new_reference(buyer: Buyer) -> None:
    first = ask(buyer, "+254710000009")["reference"]
    page = buyer.get(f"/dashboard/billing/payments/{first}").text
    [form] = re.findall(
        r'<form method="post" action="/api/checkout/mobile">(.*?)</form>', page, re.DOTALL
    )
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    fields["phone"] = LOST

    answer = buyer.post(MOBILE, fields)

    assert answer.status_code == 303
    second = answer.headers["location"].rpartition("/")[2]
    assert second != first
    assert buyer.purchase(second).offer.price == buyer.purchase(first).offer.price
    assert buyer.purchase(second).state is PurchaseState.PENDING


# -- who may -----------------------------------------------------------------------------------


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


def test_strangers_and_forged_forms_are_refused(stack: Stack, buyer: Buyer) -> None:
    order = {"amount_kes": 650, "phone": PAYS}
    with Buyer(stack) as stranger:
        unknown = stranger.post_json(MPESA, order)
        looks = stranger.get("/api/checkout/cc-1", headers={"accept": "application/json"})
    forged = buyer.send("POST", MPESA, json=order, headers={"accept": "application/json"})

    assert (unknown.status_code, looks.status_code, forged.status_code) == (401, 401, 400)
    assert forged.json()["error"]["code"] == "csrf_failed"
    assert charges(buyer) == []


def test_a_purchase_is_shown_to_its_buyer_alone(stack: Stack, buyer: Buyer) -> None:
    reference = ask(buyer, LOST)["reference"]

    with a_buyer(stack) as other:
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


# -- what the payer types ----------------------------------------------------------------------

ENDS, AGAIN, BORN, LIVES, ELSEWHERE, WANTS_PIN = (
    f"+2547100000{digits}" for digits in range(12, 18)
)
ADDRESS = {"address": "1 High St", "city": "Accra", "state": "GA", "zip_code": "00233"}


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


def test_codes_are_typed_by_the_buyer_alone_and_not_for_ever(stack: Stack, buyer: Buyer) -> None:
    reference = ask(buyer, AGAIN)["reference"]
    path = f"/api/checkout/{reference}/answer"
    with a_buyer(stack) as other:
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


# -- the page ----------------------------------------------------------------------------------


def test_the_form_leads_to_the_page_that_waits(buyer: Buyer) -> None:
    billing = buyer.get("/dashboard/billing").text
    answer = buyer.post(
        MOBILE,
        {"amount_usd": "other", "amount": "650", "network": "KES:mpesa", "phone": "0710 000 006"},
    )

    page = buyer.get(answer.headers["location"])
    assert "Pay with M-Pesa" in billing
    assert answer.status_code == 303
    assert page.status_code == 200
    assert "Check your phone" in page.text
    assert "+254 710 000006" in page.text
    assert "KES\u00a0650.00" in page.text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"amount_usd": "5", "phone": "12"}, "Give the number of a phone with M-Pesa, such as 07"),
        ({"amount_usd": "other", "amount": "1", "phone": PAYS}, "KES\u00a03 or more"),
        ({"amount_usd": "other", "amount": "", "phone": PAYS}, "Choose a whole amount in KES"),
        ({"amount_usd": "other", "amount": "6.5", "phone": PAYS}, "Choose a whole amount in KES"),
        ({"amount_usd": "1", "phone": PAYS}, "Choose a whole number of US dollars"),
        (
            {"amount_usd": "5", "phone": PAYS, "network": "KES:mtn"},
            ": M-Pesa (mpesa), Airtel Money",
        ),
        ({"amount_usd": "5", "phone": PAYS, "attempt": "a b"}, "attempt is up to 64"),
    ],
)
def test_a_bad_form_is_explained_and_keeps_what_was_typed(
    buyer: Buyer, form: dict[str, str], words: str
) -> None:
    page = buyer.post(MOBILE, {"network": "KES:mpesa", **form})

    assert page.status_code == 400
    assert words in page.text
    assert f'value="{form["phone"]}"' in page.text
    assert buyer.purchases() == []


def test_pages_say_what_became_of_the_payment(buyer: Buyer) -> None:
    paid, failed = ask(buyer)["reference"], ask(buyer, "+254710000009")["reference"]
    wait_until(lambda: standing(buyer, paid)["status"] == "paid")

    good = buyer.get(f"/dashboard/billing/payments/{paid}").text
    bad = buyer.get(f"/dashboard/billing/payments/{failed}").text

    assert "The payment arrived." in good
    assert "http-equiv" not in good
    assert "The payment was declined." in bad
    assert "Send again" in bad

    code = buyer.purchase(paid).receipt_code
    assert re.fullmatch("S[0-9A-F]{9}", code)
    assert f'M-Pesa code</dt><dd><code class="break-all">{code}<' in good
    assert "M-Pesa code" not in bad
    assert code in buyer.get(f"/dashboard/billing/receipts/{paid}").text
    led = buyer.get(f"/dashboard/search?q={code.lower()}")
    assert led.headers["Location"] == f"/dashboard/billing/payments/{paid}"
