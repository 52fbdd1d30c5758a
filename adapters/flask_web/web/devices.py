"""The browsers in which a person signed in to an account, known by a cookie.

It opens nothing: all it is worth is that attempts with it are counted apart from those of
strangers (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). It outlives the
session, and names its account only to who knows the address already.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from flask import after_this_request, current_app, request
from itsdangerous import BadSignature, Signer
from werkzeug import Response

COOKIE = "creditcore_device"
NOBODY = ""
"""An account that there is not."""

_LIFETIME = timedelta(days=365)


def remember(account: str) -> None:
    """Let the answer give this browser a cookie that tells it from others of the account."""
    value = _signer(account).sign(secrets.token_urlsafe(12)).decode()

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            value,
            max_age=_LIFETIME,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def known(account: str) -> str | None:
    """Return what tells this browser from others, if a person signed in to the account here."""
    try:
        return _signer(account).unsign(request.cookies.get(COOKIE, "")).decode()
    except BadSignature:
        return None


def _signer(account: str) -> Signer:
    return Signer(
        current_app.config["SECRET_KEY"],
        salt=f"device of {account}",
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
