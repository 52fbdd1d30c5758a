"""Sign up, sign in, sign out."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from adapters.flask_web.accounts import sign_in_steps
from adapters.flask_web.accounts.disposable import is_disposable
from adapters.flask_web.context import services, settings
from adapters.flask_web.web import devices, session
from adapters.flask_web.web.after_response import after_answering
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.throttle import (
    SIGN_IN_PER_ADDRESS,
    SIGN_UP_PER_ADDRESS,
    throttle,
)
from creditcore.domain.activity import VISITOR, Act, Actor
from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    InvalidRequestError,
    SessionEndedError,
    SignUpClosedError,
)
from creditcore.domain.identities import Capability, SignIn
from creditcore.domain.people import clean_email
from creditcore.usecases.people.security_log import SecurityLog

blueprint = Blueprint("accounts", __name__)

_NOT_LET_IN = (
    "You may have an account with this address already: sign in with its password. "
    "If you forgot it, support can set a new one."
)
"""Said where a visitor who did not get in lands anyway, so it tells a stranger nothing new."""


@blueprint.get("/sign-up")
def sign_up() -> str | Response:
    """Ask for an address and a password."""
    if current_user.is_authenticated:
        return redirect(sign_in_steps.destination())
    return _form("accounts/sign_up.html", "sign_up")


@blueprint.post("/sign-up")
def create_account() -> str | Response | tuple[str, int]:
    """Make an account.

    The answer is the same for an address that is taken. Where addresses are confirmed by
    mail, it says where to look. Else it is a redirect to the dashboard, which asks visitors
    who did not get in to sign in: only the owner of the account, who knows its password, is let
    through (docs/decisions/0004).
    """
    throttle().count_address(SIGN_UP_PER_ADDRESS, "sign-up")
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        outcome = _new_or_own_account(email, password)
    except InvalidRequestError as error:
        return _form("accounts/sign_up.html", "sign_up", {error.param or "form": str(error)}), 400
    except SignUpClosedError as error:
        return _form("accounts/sign_up.html", "sign_up", {"form": str(error)}), 403
    after_answering(
        partial(_note, email, actor_of(VISITOR), services().people.security_log, outcome)
    )
    if outcome is not None:
        return sign_in_steps.proceed(outcome, how="sign-up")
    # Set the same cookies either way, so the answer does not reveal whether an account exists.
    target = sign_in_steps.destination()
    sign_in_steps.forget_browser()
    devices.remember(devices.NOBODY)
    flash(_NOT_LET_IN, "info")
    return redirect(target)


@blueprint.get("/sign-in")
def sign_in() -> str | Response:
    """Ask who it is."""
    if current_user.is_authenticated:
        return redirect(sign_in_steps.destination())
    return _form("accounts/sign_in.html", "sign_in")


@blueprint.post("/sign-in")
def open_session() -> str | Response | tuple[str, int]:
    """Let a person in who knows the password, or lead them on to what is missing."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    throttle().count_address(SIGN_IN_PER_ADDRESS, "sign-in")
    throttle().count_account(email)
    try:
        return sign_in_steps.proceed(services().identity.sign_in(email, password), how="password")
    except (BadCredentialsError, SessionEndedError):
        after_answering(partial(_note, email, actor_of(VISITOR), services().people.security_log))
        said = str(BadCredentialsError())
        return _form("accounts/sign_in.html", "sign_in", {"form": said}), 401


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this session, and every copy of its cookie; other devices stay signed in."""
    if current_user.is_authenticated:
        services().people.sessions.end(
            session.current().id,
            person_id=session.person().id,
            actor=session.actor(),
            act=Act.SIGNED_OUT,
        )
    logout_user()
    sign_in_steps.forget_browser()
    flash("You are signed out on this device.", "info")
    return redirect(url_for("site.landing"))


def _new_or_own_account(email: str, password: str) -> SignIn | None:
    """Return how a person who signs up gets on, or None for whose address is taken.

    Where no mail is sent, a free and a taken address take the same steps, and so the same
    time: make it, then sign in to it.
    """
    if is_disposable(clean_email(email)):
        raise InvalidRequestError(
            "Strangers can read mail to this address. Use one that stays yours.", param="email"
        )
    identity = services().identity
    with suppress(EmailTakenError):
        outcome = identity.sign_up(email, password, next_path=sign_in_steps.wanted())
        if Capability.CONFIRMATION in identity.capabilities:
            return outcome
    throttle().count_account(clean_email(email))
    try:
        return identity.sign_in(email, password)
    except BadCredentialsError:
        return None


def _note(email: str, actor: Actor, log: SecurityLog, outcome: SignIn | None = None) -> None:
    """Let the owner of an account know of a wrong password; where it let in, there is nothing."""
    if outcome is None:
        log.note_failed_sign_in(email, actor=actor, step="password")


def _form(template: str, page: str, faults: dict[str, str] | None = None) -> str:
    return render_template(
        template,
        page=page,
        email=request.form.get("email", ""),
        errors=faults or {},
        next=sign_in_steps.wanted(),
        signup_credits=settings().signup_credits,
        capabilities=services().identity.capabilities,
    )
