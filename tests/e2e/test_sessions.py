"""When a session begins, and when it ends."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.e2e.visitors import Visitor
from tests.stack import AUTH_SECRET, Stack

COOKIE = "creditcore_session"


def with_cookie_of(owner: Visitor, value: str) -> Visitor:
    """Return another browser, into which a cookie was copied."""
    thief = Visitor(owner.stack)
    thief.http.cookies.set(COOKIE, value, domain=urlsplit(owner.stack.base_url).hostname)
    return thief


def signed_cookie(**kept: Any) -> str:
    """Return a session cookie that the gateway takes for one of its own."""
    app = Flask(__name__)
    app.secret_key = hmac.digest(AUTH_SECRET.encode(), b"session", hashlib.sha256)
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer
    return str(serializer.dumps(kept))


def test_signing_in_begins_a_new_session(member: Visitor) -> None:
    member.post("/sign-out", {})
    member.token()
    before = member.http.cookies[COOKIE]

    member.sign_in()
    member.http.cookies.clear()
    member.http.cookies.set(COOKIE, before)

    assert not member.is_signed_in


def test_a_copy_of_the_cookie_ends_with_the_session(member: Visitor) -> None:
    with with_cookie_of(member, member.http.cookies[COOKIE]) as copy:
        before = copy.is_signed_in

        left = member.post("/sign-out", {})
        refused = copy.get("/dashboard")
        balance = copy.get("/api/v1/credits")

        assert before
        assert refused.headers["location"].startswith("/sign-in")
        assert balance.status_code == 401
        assert "on every device" in member.get(left.headers["location"]).text


def test_signing_out_leaves_other_people_in(member: Visitor, stranger: Visitor) -> None:
    stranger.sign_up()

    member.post("/sign-out", {})

    assert stranger.is_signed_in


def test_whoever_was_not_signed_in_signs_nobody_out(member: Visitor) -> None:
    kept = member.http.cookies[COOKIE]
    member.post("/sign-out", {})
    member.sign_in()

    with with_cookie_of(member, kept) as copy:
        answer = copy.post("/sign-out", {})

        assert answer.headers["location"] == "/"
    assert member.is_signed_in


@pytest.mark.parametrize("kept", ["{id}", "{id}:", "{id}:-1", "{id}:1", "{id}:0:0"])
def test_a_cookie_without_the_epoch_of_its_owner_leads_to_signing_in(
    stack: Stack, kept: str
) -> None:
    with Visitor(stack) as member:
        member.sign_up()
        person_id = member.person.id
        forms = {"right": "{id}:0", "other": kept}
        cookies = {
            name: signed_cookie(_user_id=form.format(id=person_id)) for name, form in forms.items()
        }

        with with_cookie_of(member, cookies["right"]) as right:
            assert right.is_signed_in
        with with_cookie_of(member, cookies["other"]) as other:
            refused = other.get("/dashboard")

    assert refused.status_code == 302
    assert refused.headers["location"].startswith("/sign-in")
