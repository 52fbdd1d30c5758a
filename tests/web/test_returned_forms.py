"""A form that is out of date, or came too often, comes back with what was typed."""

from __future__ import annotations

import html
import re

import pytest

from adapters.flask_web.web.throttle import INVITE_PER_PERSON, throttle
from tests.visitors import TOKEN, Visitor, an_address_of
from tests.web.site import Site

FROM_HERE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
NO_FORM = {"/payments/paystack"}
"""Sent by the payment provider, without a token."""

TYPED = {
    "csrf_token": "of-yesterday",
    "name": "typed-name",
    "reason": "two\nlines",
    "password": "typed-password",
    "code": "123456",
    "otp": "K7Q2Z9",
    "attempt": "hidden-attempt",
    "confirmed": "yes",
}


def posts(site: Site) -> list[str]:
    return sorted(
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/v1/", "/api/v1/"))
    )


def fields_of(page: str) -> dict[str, str]:
    form = page.partition('<form class="form sent-again"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    # The option that is chosen, of each list.
    found |= dict(re.findall(r'<select[^>]* name="(\w+)">.*?value="(\w+)" selected', form))
    found |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)<', form))
    return {name: html.unescape(value) for name, value in found.items()}


def test_every_form_that_is_out_of_date_comes_back(site: Site, member: Visitor) -> None:
    wrong = {}
    for rule in posts(site):
        if rule in NO_FORM:
            continue
        address = an_address_of(rule, key_id="key-1")
        answer = member.send("POST", address, data=TYPED, headers=FROM_HERE)
        back = fields_of(answer.text)
        token = back.pop("csrf_token", "")
        expected = {
            "name": "typed-name",
            "reason": "two\nlines",
            "password": "",
            "code": "",
            "otp": "",
            "attempt": "hidden-attempt",
        }
        if answer.status_code != 400 or back != expected or token in ("", "of-yesterday"):
            wrong[rule] = (answer.status_code, back)

    assert len(posts(site)) > 50
    assert wrong == {}


def test_what_comes_back_can_be_sent(member: Visitor) -> None:
    typed = {"name": "Kijani Labs", "team_id": "01a22844-3c0d-7f59-bc2b-84b1bc207687"}
    refused = member.send("POST", "/dashboard/team", data=typed, headers=FROM_HERE)
    assert "<title>Error: " in refused.text
    assert TOKEN.search(refused.text)

    made = member.send("POST", "/dashboard/team", data=fields_of(refused.text), headers=FROM_HERE)

    assert made.status_code == 302
    assert "Kijani Labs" in member.get("/dashboard").text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "https://["},
    ],
)
def test_a_form_of_another_site_gets_no_button(member: Visitor, headers: dict[str, str]) -> None:
    answer = member.send("POST", "/dashboard/team", data=TYPED, headers=headers)

    assert answer.status_code == 400
    assert "typed-name" not in answer.text
    assert "form is out of date" in answer.text


def test_a_form_that_came_too_often_comes_back(site: Site, member: Visitor) -> None:
    team = site.services.teams.keep.create(member.person.id, "Kijani Labs")
    member.post("/dashboard/team/switch", {"account": team.id})
    with site.app.app_context():
        for _ in range(INVITE_PER_PERSON.amount):
            throttle().count(INVITE_PER_PERSON, "invite", member.person.id)

    answer = member.send(
        "POST",
        "/dashboard/team/invite",
        data={"email": "baraka@example.com", "role": "admin", "csrf_token": member.token()},
        headers=FROM_HERE,
    )

    assert answer.status_code == 429
    assert "Retry-After" in answer.headers
    back = fields_of(answer.text)
    assert (back["email"], back["role"]) == ("baraka@example.com", "admin")
    assert "Kijani Labs" in answer.text
    chosen = '<option value="admin" selected>Admin: also buys credit and manages members and keys<'
    assert chosen in answer.text
    assert '<option value="owner"' not in answer.text
