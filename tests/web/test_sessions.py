"""When a session begins, and when it ends."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.stack import AUTH_SECRET
from tests.visitors import Visitor

COOKIE = "creditcore_session"


def with_cookie_of(owner: Visitor, value: str) -> Visitor:
    """Return another browser, into which a cookie was copied."""
    thief = Visitor(owner.stack)
    thief.http.cookies.set(COOKIE, value, domain=urlsplit(owner.stack.base_url).hostname)
    return thief


def signed_cookie(**kept: Any) -> str:
    """Return a session cookie that the gateway takes for one of its own."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(_signing_app())
    assert serializer
    return str(serializer.dumps(kept))


def _signing_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = hmac.digest(AUTH_SECRET.encode(), b"session", hashlib.sha256)
    return app


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
        assert "signed out on this device" in member.get(left.headers["location"]).text


def test_signing_out_leaves_other_people_in(member: Visitor, stranger: Visitor) -> None:
    stranger.sign_up()

    member.post("/sign-out", {})

    assert stranger.is_signed_in


def test_a_visitor_who_was_not_signed_in_signs_no_person_out(member: Visitor) -> None:
    kept = member.http.cookies[COOKIE]
    member.post("/sign-out", {})
    member.sign_in()

    with with_cookie_of(member, kept) as copy:
        answer = copy.post("/sign-out", {})

        assert answer.headers["location"] == "/"
    assert member.is_signed_in


def test_signing_out_here_leaves_other_devices_in(member: Visitor) -> None:
    with Visitor(member.stack) as elsewhere:
        elsewhere.email = member.email
        elsewhere.sign_in()

        member.post("/sign-out", {})

        assert elsewhere.is_signed_in


@pytest.mark.parametrize("kept", ["", "x", "{id}", "{id}:0", "{session}", "é", "x" * 3000, None])
def test_a_cookie_that_names_no_session_leads_to_signing_in(
    member: Visitor, kept: str | None
) -> None:
    person = member.person
    with member.stack.store.begin() as tx:
        [session] = tx.sessions.open_of(person.id)
    if kept is not None:
        kept = kept.format(id=person.id, session=session.id)

    with with_cookie_of(member, signed_cookie(_user_id=kept)) as forger:
        refused = forger.get("/dashboard")

    assert refused.status_code == 302
    assert refused.headers["location"].startswith("/sign-in")
    assert member.is_signed_in
