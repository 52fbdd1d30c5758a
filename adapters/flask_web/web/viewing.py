"""Operators who look at pages as a person sees them. Everything but reading is refused.

Which pages may be read is listed here, and all others are refused: a page that is made later
cannot be seen, nor acted on, by oversight. What begins it and ends it is the admin's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask, request
from flask import session as cookie
from flask_login import current_user
from werkzeug.exceptions import Forbidden

from creditcore.domain.people import Person, Role

_COOKIE = "viewing"
STOP = "admin.stop_viewing"
_READABLE = frozenset(
    {
        "dashboard.home",
        "dashboard.call",
        "analytics.show",
        "calls.show",
        "calls.refused",
        "calls.download",
        "keys.show",
        "billing.show",
        "statements.show",
        "models.show",
        "models.one",
        "site.pricing",
        "site.billing_policy",
        "static",
    }
)
_ASKS_THE_PROVIDER = ("reference", "cancelled")
"""Words of the billing page's address after which it asks how a payment stands."""


def remember(person: Person, *, until: datetime) -> None:
    """Show the pages of a person to this browser from now on."""
    cookie[_COOKIE] = [person.id, until.timestamp()]


def forget() -> None:
    """Show the operator's own pages again."""
    cookie.pop(_COOKIE, None)


def viewed_by(operator: Person, *, now: datetime) -> str | None:
    """Return whose pages an operator looks at; None for their own."""
    if _COOKIE not in cookie:
        return None
    person_id, until = cookie[_COOKIE]
    is_over = now.timestamp() >= until or until > (now + timedelta(days=1)).timestamp()
    if operator.role is not Role.ADMIN or is_over:
        forget()
        return None
    return str(person_id)


def register(app: Flask) -> None:
    """Refuse an operator who looks at a person's pages all but the pages that may be read."""

    @app.before_request
    def _only_read() -> None:
        if _COOKIE not in cookie or request.endpoint == STOP:
            return
        if getattr(current_user, "operator", None) is None:
            # It was over, or never began: loading who is signed in has forgotten it.
            return
        is_read = request.method in ("GET", "HEAD") and request.endpoint in _READABLE
        if not is_read or any(word in request.args for word in _ASKS_THE_PROVIDER):
            raise Forbidden(
                "You look at a person's account, which is for reading only. Stop looking first: "
                "the button stands at the top of their pages, such as /dashboard."
            )
