"""What every form refuses."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote_from_bytes

import pytest
import requests

from tests.e2e.visitors import PASSWORD, TOKEN, Visitor, everything_of, routes
from tests.stack import Stack

WEBHOOK = "/payments/paystack"

STRANGE_VALUES = {
    "nothing": b"",
    "nul": b"\x00",
    "nul inside": b"ada\x00@example.com",
    "surrogate": b"\xed\xa0\x80",
    "not utf-8": b"\xff\xfe\xfa",
    "turned around": "\u202eada@example.com\u202c".encode(),
    "other digits": "\u0661\u0660".encode(),
    "long": b"x" * 10_000,
    "long number": b"9" * 10_000,
    "markup": b"<script>alert(1)</script>{{ 7*7 }}",
    "statement": b"'; DROP TABLE wallets; --",
}


# -- forms that somebody else sends -----------------------------------------------------------


def test_every_form_refuses_a_missing_or_forged_token(member: Visitor, stranger: Visitor) -> None:
    member.post("/dashboard/keys", {"name": "mine", "key_id": str(uuid.uuid4())})
    [key] = everything_of(member)["keys"]
    newcomer = f"{uuid.uuid4().hex}@example.com"
    form = {
        "email": newcomer,
        "password": PASSWORD,
        "name": "forged",
        "key_id": str(uuid.uuid4()),
        "amount_usd": "10",
    }
    posts = {rule for method, rule in routes(member.stack) if method == "POST"} - {WEBHOOK}
    before = everything_of(member)

    forgeries: list[dict[str, str]] = [
        {},
        {"csrf_token": ""},
        {"csrf_token": "x.y.z"},
        {"csrf_token": stranger.token()},
    ]
    answers = {
        (rule, number): member.send(
            "POST", rule.replace("<key_id>", key.id), data={**form, **forgery}
        )
        for rule in posts
        for number, forgery in enumerate(forgeries)
    }

    assert {"/sign-up", "/sign-in", "/sign-out", "/dashboard/keys"} < posts
    assert {case: answer.status_code for case, answer in answers.items()} == dict.fromkeys(
        answers, 400
    )
    assert all("form is out of date" in answer.text for answer in answers.values())
    assert everything_of(member) == before
    assert member.is_signed_in
    with member.stack.store.begin() as tx:
        assert tx.people.find_by_email(newcomer) is None


def test_json_needs_the_token_in_its_header(member: Visitor) -> None:
    headers = {"accept": "application/json"}

    answer = member.send("POST", "/api/checkout/start", json={"amount_usd": 10}, headers=headers)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "csrf_failed"
    assert not everything_of(member)["purchases"]


def test_json_without_the_token_is_told_what_to_send_and_where_it_is(member: Visitor) -> None:
    def pay(**headers: str) -> requests.Response:
        headers["accept"] = "application/json"
        body = {"amount_usd": 10}
        return member.send("POST", "/api/checkout/start", json=body, headers=headers)

    message = pay().json()["error"]["message"]
    assert message.startswith("The CSRF token is missing.")
    [header] = re.findall(r"the header ([\w-]+)", message)
    [page] = re.findall(rf"{member.stack.base_url}\S+", message)
    token = TOKEN.search(member.get(page).text)
    assert token
    answer = pay(**{header: token[1]})

    assert answer.status_code == 201


# -- what is refused -------------------------------------------------------------------------------


def test_nobody_can_revoke_the_key_of_somebody_else(member: Visitor, stranger: Visitor) -> None:
    secret = member.stack.a_key(member.person.id)
    [key] = everything_of(member)["keys"]
    stranger.sign_up()

    answer = stranger.post(f"/dashboard/keys/{key.id}/revoke", {})

    assert answer.status_code == 404
    assert member.stack.chat("Hi", key=secret).status_code == 200


def test_wrong_methods_are_told_which_are_right(member: Visitor) -> None:
    served = routes(member.stack)

    for rule in {rule for _, rule in served}:
        allowed = {method for method, other in served if other == rule}
        answer = member.send("PUT", re.sub("<[^>]+>", "x", rule))

        assert answer.status_code == 405, rule
        assert allowed <= set(answer.headers["allow"].split(", ")), rule


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in", "/dashboard/keys", "/api/checkout/start"])
def test_a_huge_form_is_refused(member: Visitor, path: str) -> None:
    before = everything_of(member)

    answer = member.post(path, {"name": "x" * 2_000_000})

    assert answer.status_code == 413
    assert "Too large" in answer.text
    assert everything_of(member) == before


FIELDS = [
    ("/sign-up", "email"),
    ("/sign-up", "password"),
    ("/sign-up", "next"),
    ("/sign-in", "email"),
    ("/sign-in", "password"),
    ("/sign-in", "next"),
    ("/dashboard/keys", "name"),
    ("/dashboard/keys", "expires_in_days"),
    ("/api/checkout/start", "amount_usd"),
    ("/api/checkout/start", "custom_usd"),
]


@pytest.mark.parametrize("value", STRANGE_VALUES.values(), ids=STRANGE_VALUES.keys())
def test_no_value_of_a_field_is_our_fault(stack: Stack, value: bytes) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()
        usual = {
            "email": visitor.email,
            "password": PASSWORD,
            "name": "key",
            "key_id": str(uuid.uuid4()),
            "amount_usd": "other",
        }

        for path, field in FIELDS:
            # Signing up and in replaces the session, and with it the token.
            texts = {**usual, "csrf_token": visitor.token()}
            form = {name: text.encode() for name, text in texts.items()} | {field: value}
            answer = visitor.send(
                "POST",
                path,
                data="&".join(f"{name}={quote_from_bytes(text)}" for name, text in form.items()),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )

            assert answer.status_code < 500, (path, field, answer.text)


@pytest.mark.parametrize(
    "value", ["%00", "%ED%A0%80", "%FF", "x" * 3_000, "%27%20OR%201=1", "..%2f"]
)
def test_no_address_is_our_fault(stack: Stack, value: str) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()

        for address in (
            "/payments/paystack?reference={}",
            "/payments/paystack?trxref={}",
            "/dashboard/billing?reference={}",
            "/sign-in?next={}",
            "/sign-up?next={}",
            "/{}",
        ):
            answer = visitor.get(address.format(value))

            assert answer.status_code < 500, (address, answer.text)


@pytest.mark.parametrize("key_id", ["%00", "%ED%A0%80", "x" * 3_000, "%27%20OR%201=1", "0"])
def test_an_impossible_key_is_not_found(stack: Stack, key_id: str) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()

        answer = visitor.post(f"/dashboard/keys/{key_id}/revoke", {})

    assert answer.status_code == 404
