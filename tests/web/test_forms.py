"""What every form refuses."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote_from_bytes

import pytest

from tests.visitors import PASSWORD, Visitor, everything_of
from tests.web.site import Site

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


def test_json_needs_the_token_in_its_header(member: Visitor) -> None:
    headers = {"accept": "application/json"}

    answer = member.send("POST", "/api/checkout/start", json={"amount_usd": 10}, headers=headers)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "csrf_failed"
    assert not everything_of(member)["purchases"]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in", "/dashboard/keys", "/api/checkout/start"])
def test_a_huge_form_is_refused(member: Visitor, path: str) -> None:
    before = everything_of(member)

    answer = member.post(path, {"name": "x" * 2_000_000})

    assert answer.status_code == 413
    assert "Too large" in answer.text
    assert everything_of(member) == before


def test_a_short_form_of_many_fields_is_refused(member: Visitor) -> None:
    answer = member.post("/sign-in", {f"name{number}": "" for number in range(60)})

    assert answer.status_code == 413


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
def test_no_value_of_a_field_is_our_fault(any_site: Site, value: bytes) -> None:
    with Visitor(any_site) as visitor:
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
def test_no_address_is_our_fault(any_site: Site, value: str) -> None:
    with Visitor(any_site) as visitor:
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
def test_an_impossible_key_is_not_found(any_site: Site, key_id: str) -> None:
    with Visitor(any_site) as visitor:
        visitor.sign_up()

        answer = visitor.post(f"/dashboard/keys/{key_id}/revoke", {})

    assert answer.status_code == 404


# -- buttons --------------------------------------------------------------------------------------


def test_each_button_of_a_page_of_settings_says_what_it_saves(site: Site, member: Visitor) -> None:
    key, _ = site.services.keys.issuing.issue(member.person.id, name="laptop")

    for page in ("/dashboard/general", f"/dashboard/keys/{key.id}"):
        saving = re.findall(r"<button[^>]*>(Save[^<]*)</button>", member.get(page).text)
        assert len(saving) > 1, page
        assert len(set(saving)) == len(saving), page
        assert "Save" not in saving, page
