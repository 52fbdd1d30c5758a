"""Buying with a phone: asked once, followed to its end, credited once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from creditcore import Credits, PurchaseState
from tests.e2e.buyer import WELCOME, Buyer, a_buyer, trouble_at_paystack
from tests.e2e.phones import (
    CANCELS,
    ENGAGED,
    LOST,
    MOBILE,
    MPESA,
    PAYS,
    POOR,
    WRONG_PIN,
    ask,
    charges,
    standing,
)
from tests.stack import Stack, wait_until


@pytest.fixture
def buyer(phone_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(phone_stack) as buyer:
        yield buyer


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
        # A message that the gateway does not know is shown as it came.
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
