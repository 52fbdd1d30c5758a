"""Sign up, sign in, sign out, with accounts of our own."""

from __future__ import annotations

from contextlib import suppress

import flask
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.web import devices, session, whereabouts
from adapters.flask_web.web.security import is_local_path
from adapters.flask_web.web.throttle import (
    SIGN_IN_PER_ADDRESS,
    SIGN_UP_PER_ADDRESS,
    throttle,
)
from creditcore.domain.errors import BadCredentialsError, EmailTakenError, InvalidRequestError
from creditcore.domain.identities import SignedIn, SignIn
from creditcore.domain.people import clean_email

blueprint = Blueprint("accounts", __name__)

_NOT_LET_IN = (
    "You may have an account with this address already: sign in with its password. "
    "If you forgot it, support can set a new one."
)
"""Said where somebody who did not get in lands anyway, so it tells a stranger nothing new."""


@blueprint.get("/sign-up")
def sign_up() -> str | Response:
    """Ask for an address and a password."""
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.home"))
    return _form("accounts/sign_up.html", "sign_up")


@blueprint.post("/sign-up")
def create_account() -> str | Response | tuple[str, int]:
    """Make an account and sign its owner in.

    The answer is the same for an address that is taken: a redirect to the dashboard,
    which asks whoever did not get in to sign in. Only the owner of the account, who
    knows its password, is let through (docs/decisions/0004).
    """
    throttle().count_address(SIGN_UP_PER_ADDRESS, "sign-up")
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        outcome = _new_or_own_account(email, password)
    except InvalidRequestError as error:
        return _form("accounts/sign_up.html", "sign_up", {error.param or "form": str(error)}), 400
    if outcome is not None:
        _let_in(outcome)
    else:
        # Whoever is let in gets new cookies; so does whoever is not, or it would show.
        _begin_session()
        devices.remember(devices.NOBODY)
        flash(_NOT_LET_IN, "info")
    return redirect(_destination())


@blueprint.get("/sign-in")
def sign_in() -> str | Response:
    """Ask who it is."""
    if current_user.is_authenticated:
        return redirect(_destination())
    return _form("accounts/sign_in.html", "sign_in")


@blueprint.post("/sign-in")
def open_session() -> str | Response | tuple[str, int]:
    """Let somebody in who knows the password."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    throttle().count_address(SIGN_IN_PER_ADDRESS, "sign-in")
    throttle().count_account(email)
    try:
        _let_in(services().identity.sign_in(email, password))
    except BadCredentialsError as error:
        return _form("accounts/sign_in.html", "sign_in", {"form": str(error)}), 401
    return redirect(_destination())


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this session, and every copy of its cookie."""
    if current_user.is_authenticated:
        services().sessions.end(session.current().id, person_id=session.person().id)
    logout_user()
    flash("You are signed out on this device.", "info")
    return redirect(url_for("site.landing"))


def _new_or_own_account(email: str, password: str) -> SignIn | None:
    """Return the account if it is new, or if the visitor turns out to own it.

    Both take the same steps, and so the same time: make it, then sign in to it.
    """
    identity = services().identity
    with suppress(EmailTakenError):
        identity.sign_up(email, password)
    throttle().count_account(clean_email(email))
    try:
        return identity.sign_in(email, password)
    except BadCredentialsError:
        return None


def _let_in(outcome: SignIn) -> None:
    assert isinstance(outcome, SignedIn)  # noqa: S101
    person = services().welcome.welcome(outcome.identity)
    begun = services().sessions.begin(person, outcome, device=whereabouts.here())
    _begin_session()
    login_user(session.SignedIn(person, begun.session, begun.secret))
    devices.remember(person.email)
    services().profiles.place(person.id, request.form.get("timezone", ""))


def _begin_session() -> None:
    """Carry nothing of the session before over into the one that follows."""
    flask.session.clear()
    flask.session.permanent = True


def _destination() -> str:
    wanted = request.values.get("next", "")
    return wanted if is_local_path(wanted) else url_for("dashboard.home")


def _form(template: str, page: str, faults: dict[str, str] | None = None) -> str:
    wanted = request.values.get("next", "")
    return render_template(
        template,
        page=page,
        email=request.form.get("email", ""),
        errors=faults or {},
        next=wanted if is_local_path(wanted) else "",
        signup_credits=settings().signup_credits,
    )
