"""When a session begins, and when it ends."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.stack import AUTH_SECRET
from tests.visitors import Visitor

COOKIE = "creditcore_session"


def kept_by(cookie: str) -> dict[str, Any]:
    """Return what a session cookie holds."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(_signing_app())
    assert serializer
    kept: dict[str, Any] = serializer.loads(cookie)
    return kept


def _signing_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = hmac.digest(AUTH_SECRET.encode(), b"session", hashlib.sha256)
    return app


def test_what_the_cookie_holds_is_stored_nowhere(member: Visitor) -> None:
    secret = kept_by(member.http.cookies[COOKIE])["_user_id"]

    person = member.person
    with member.stack.store.begin() as tx:
        [row] = tx._session.records("SELECT * FROM sessions WHERE person_id = ?", (person.id,))

    assert len(secret) == 43
    assert secret not in repr(row)
    assert hashlib.sha256(secret.encode()).digest() in [
        bytes(value) for value in row if isinstance(value, bytes | memoryview)
    ]
