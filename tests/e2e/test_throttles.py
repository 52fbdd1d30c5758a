"""How often somebody may try."""

from __future__ import annotations

import uuid

import requests

from adapters.flask_web.web.throttle import (
    CHECKOUT_PER_PERSON,
    SIGN_IN_PER_ACCOUNT,
    SIGN_IN_PER_ACCOUNT_AND_DEVICE,
    SIGN_IN_PER_ADDRESS,
    SIGN_UP_PER_ADDRESS,
)
from tests.visitors import PASSWORD, Visitor, everything_of


def assert_throttled(answer: requests.Response) -> None:
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many attempts" in answer.text


def test_one_address_cannot_try_many_accounts(visitor: Visitor, member: Visitor) -> None:
    token = visitor.token()

    def guess() -> requests.Response:
        form = {"csrf_token": token, "email": f"{uuid.uuid4().hex} is nobody", "password": "x"}
        return visitor.send("POST", "/sign-in", data=form)

    answers = [guess().status_code for _ in range(SIGN_IN_PER_ADDRESS.amount)]

    assert set(answers) == {401}
    assert_throttled(guess())
    assert member.sign_in().status_code == 302


def test_many_addresses_cannot_try_one_account(member: Visitor) -> None:
    def guess(password: str) -> requests.Response:
        with Visitor(member.stack) as guesser:
            guesser.email = member.email
            return guesser.sign_in(password)

    first, *_ = [guess("") for _ in range(SIGN_IN_PER_ACCOUNT.amount)]

    assert first.status_code == 401
    assert_throttled(guess(PASSWORD))
    assert member.sign_in("").status_code == 401
    assert member.sign_in().status_code == 302


def test_one_device_cannot_try_its_account_often(member: Visitor) -> None:
    member.post("/sign-out", {})

    first, *_ = [
        member.sign_in("not the right one") for _ in range(SIGN_IN_PER_ACCOUNT_AND_DEVICE.amount)
    ]

    assert first.status_code == 401
    assert_throttled(member.sign_in())


def test_signing_up_guesses_no_more_passwords_than_signing_in(member: Visitor) -> None:
    def guess(password: str) -> requests.Response:
        with Visitor(member.stack) as guesser:
            return guesser.post("/sign-up", {"email": member.email, "password": password})

    first, *_ = [guess("not the right one") for _ in range(SIGN_IN_PER_ACCOUNT.amount)]

    assert first.status_code == 302
    assert_throttled(guess(PASSWORD))


def test_one_address_cannot_make_many_accounts(visitor: Visitor) -> None:
    token = visitor.token()

    def attempt() -> requests.Response:
        form = {"csrf_token": token, "email": visitor.email, "password": "short"}
        return visitor.send("POST", "/sign-up", data=form)

    answers = [attempt().status_code for _ in range(SIGN_UP_PER_ADDRESS.amount)]

    assert set(answers) == {400}
    assert_throttled(attempt())


def test_one_person_cannot_start_many_checkouts(member: Visitor, stranger: Visitor) -> None:
    stranger.sign_up()
    headers = {"x-csrftoken": member.token(), "accept": "application/json"}

    def begin() -> requests.Response:
        body = {"amount_usd": 10}
        return member.send("POST", "/api/checkout/start", json=body, headers=headers)

    answers = [begin().status_code for _ in range(CHECKOUT_PER_PERSON.amount)]
    refused = begin()
    page = member.post("/api/checkout/start", {"amount_usd": "10"})

    assert set(answers) == {201}
    assert_throttled(refused)
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert_throttled(page)
    assert "text/html" in page.headers["content-type"]
    assert len(everything_of(member)["purchases"]) == CHECKOUT_PER_PERSON.amount
    assert stranger.post_json("/api/checkout/start", {"amount_usd": 10}).status_code == 201
