"""Signing in with Google or GitHub, and connecting them to an account."""

from __future__ import annotations

import flask
from flask import flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from adapters.flask_web.accounts import sign_in_steps
from adapters.flask_web.accounts.views import blueprint
from adapters.flask_web.context import services, settings
from adapters.flask_web.web import session
from adapters.flask_web.web.stepping_up import stepped_up
from adapters.flask_web.web.throttle import CODE_PER_ADDRESS, SIGN_IN_PER_ADDRESS, throttle
from creditcore.domain.activity import Act
from creditcore.domain.errors import OAuthFailedError, SessionEndedError
from creditcore.domain.identities import (
    Grant,
    Method,
    NeedsConfirmation,
    OAuthFailure,
    SignedIn,
    SignIn,
    SignOutScope,
)

FLOW = "oauth"
"""Where the cookie keeps the name of the flow that began in this browser."""

_NAMES = {Method.GOOGLE: "Google", Method.GITHUB: "GitHub"}

_SAID = {
    OAuthFailure.CANCELLED: "You cancelled there. Nothing has changed here.",
    OAuthFailure.EXPIRED: "That took too long, or began in another browser. Please start again.",
    OAuthFailure.ADDRESS_UNVERIFIED: (
        "That account has no verified e-mail address. Verify one there, or sign up with an "
        "address and a password."
    ),
    OAuthFailure.ALREADY_LINKED: "That account is connected to another account here.",
    OAuthFailure.SIGN_UP_CLOSED: "New accounts cannot be made here at the moment.",
    OAuthFailure.REFUSED: "You cannot sign in with that account.",
    OAuthFailure.TRY_AGAIN: "That did not work this time. Please try again.",
}


@blueprint.post("/auth/<method>")
def begin_oauth(method: str) -> Response:
    """Send the browser to Google or GitHub."""
    throttle().count_address(SIGN_IN_PER_ADDRESS, "sign-in")
    return _begin(method)


@blueprint.post("/dashboard/security/connect/<method>")
@stepped_up("security.show")
def connect(method: str) -> Response:
    """Send the browser there, to connect it to the account of who is signed in."""
    return _begin(method, link_to=services().people.sessions.grant_of(session.current()))


@blueprint.post("/step-up/<method>")
@session.for_people
def prove_there(method: str) -> Response:
    """Send the browser there, to show again who is signed in: they may have no password here."""
    throttle().count_address(CODE_PER_ADDRESS, "code")
    return _begin(method, proves=session.person().provider_subject)


@blueprint.get("/auth/callback")
def callback() -> Response:
    """Take up who comes back, if it began in this very browser."""
    throttle().count_address(SIGN_IN_PER_ADDRESS, "sign-in")
    flow = flask.session.pop(FLOW, None) or {}
    kept = services().people.flows.take(str(flow.get("token", "")))
    if kept is None:
        return _failed(OAuthFailure.EXPIRED, flow)
    query = {name: value[:2048] for name, value in request.args.items()}
    try:
        outcome = services().identity.complete_oauth(kept, query)
        if flow.get("connects"):
            return _connected(outcome, flow)
        if flow.get("proves"):
            return _proved(outcome, flow)
        return sign_in_steps.proceed(
            outcome, next_path=str(flow.get("next") or ""), how=str(flow.get("method") or "")
        )
    except OAuthFailedError as error:
        return _failed(error.reason, flow)
    except SessionEndedError:
        # The provider lets them in, and we do not.
        return _failed(OAuthFailure.REFUSED, flow)


@blueprint.before_app_request
def take_up_failure() -> Response | None:
    """Lead a failed return on that landed on the start page.

    A provider that has lost the state of a flow knows no better address than the site's own.
    """
    if request.path != "/" or "error" not in request.args or FLOW not in flask.session:
        return None
    return _failed(OAuthFailure.EXPIRED, flask.session.pop(FLOW) or {})


def _begin(method: str, *, link_to: Grant | None = None, proves: str = "") -> Response:
    try:
        chosen = Method(method)
    except ValueError:
        raise NotFound from None
    if chosen not in _NAMES:
        raise NotFound
    return_url = f"{settings().base_url}{url_for('accounts.callback')}"
    flow = services().identity.begin_oauth(chosen, return_url=return_url, link_to=link_to)
    flask.session.permanent = True
    flask.session[FLOW] = {
        "token": services().people.flows.keep(flow.secret),
        "method": chosen.value,
        "next": sign_in_steps.wanted(),
        "connects": "" if link_to is None else link_to.subject,
        "proves": proves,
    }
    return redirect(flow.url)


def _connected(outcome: SignIn, flow: dict[str, object]) -> Response:
    if not _came_back_as(flow["connects"], outcome):
        return _failed(OAuthFailure.EXPIRED, flow)
    services().people.security_log.note(
        Act.WAY_IN_CONNECTED,
        session.person().id,
        actor=session.actor(),
        method=str(flow.get("method")),
    )
    flash("It is connected: you can sign in with it from now on.", "success")
    return redirect(url_for("security.show"))


def _proved(outcome: SignIn, flow: dict[str, object]) -> Response:
    if not _came_back_as(flow["proves"], outcome) or not isinstance(outcome, SignedIn):
        # Who has an authenticator app shows a code of it: this would be half of the proof.
        flash("That is not the account that you are signed in with here.", "error")
        return redirect(url_for("accounts.step_up", next=flow.get("next") or None))
    services().people.sessions.prove(session.current())
    return redirect(str(flow.get("next") or "") or url_for("dashboard.home"))


def _came_back_as(subject: object, outcome: SignIn) -> bool:
    """Whether who left is who came back, and still who is signed in here.

    Coming back began a session at the provider, beside the one that goes on: it ends.
    """
    if isinstance(outcome, NeedsConfirmation):
        return False
    services().identity.sign_out(outcome.grant, SignOutScope.THIS)
    is_here = current_user.is_authenticated and session.person().provider_subject == subject
    return is_here and outcome.identity.subject == subject


def _failed(reason: OAuthFailure, flow: dict[str, object]) -> Response:
    flash(_SAID[reason], "info" if reason is OAuthFailure.CANCELLED else "error")
    if flow.get("connects") and current_user.is_authenticated:
        return redirect(url_for("security.show"))
    wanted = str(flow.get("next") or "")
    page = "sign_in"
    if flow.get("proves") and current_user.is_authenticated:
        page = "step_up"
    return redirect(url_for(f"accounts.{page}", next=wanted or None))
