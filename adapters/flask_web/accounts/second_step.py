"""The second factor at sign-in, and proving again who one is before acts that matter."""

from __future__ import annotations

from functools import partial

import flask
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.accounts import sign_in_steps
from adapters.flask_web.accounts.views import blueprint
from adapters.flask_web.context import services
from adapters.flask_web.web import session
from adapters.flask_web.web.after_response import after_answering
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.throttle import CODE_PER_ADDRESS, throttle
from creditcore.domain.activity import VISITOR, Act, Actor
from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import Capability, Method
from creditcore.domain.sessions import Stage

_ELSEWHERE = {Method.GOOGLE: "Google", Method.GITHUB: "GitHub"}
_WAITING = (Stage.SECOND_FACTOR, Stage.RECOVERING)


@blueprint.get("/sign-in/code")
def second_factor() -> str | Response:
    """Ask for a code of the authenticator app."""
    try:
        sign_in_steps.pending(*_WAITING)
    except SessionEndedError:
        return _start_again()
    return _code_form("accounts/second_factor.html")


@blueprint.post("/sign-in/code")
def check_code() -> str | Response | tuple[str, int]:
    """Let them in with the right code."""
    return _checked("accounts/second_factor.html", recovery=False)


@blueprint.get("/sign-in/recovery-code")
def recovery_code() -> str | Response:
    """Ask for one of the codes that were written down."""
    try:
        sign_in_steps.pending(*_WAITING)
    except SessionEndedError:
        return _start_again()
    return _code_form("accounts/recovery_code.html")


@blueprint.post("/sign-in/recovery-code")
def check_recovery_code() -> str | Response | tuple[str, int]:
    """Let them in with one of them, which is used up by that."""
    return _checked("accounts/recovery_code.html", recovery=True)


@blueprint.get("/step-up")
@session.for_people
def step_up() -> str | Response:
    """Ask again who it is: the password, or a code of the app."""
    if session.current().is_stepped_up(now=services().clock.now()):
        return redirect(sign_in_steps.destination())
    return _step_up_form()


@blueprint.post("/step-up")
@session.for_people
def prove() -> str | Response | tuple[str, int]:
    """Note that they have shown it."""
    throttle().count_address(CODE_PER_ADDRESS, "code")
    grant = services().people.sessions.grant_of(session.current())
    identity = services().identity
    try:
        if code := request.form.get("code", "").strip():
            # A provider may give a newer grant with it, which is the only one that counts then.
            services().people.sessions.keep(
                session.current(), identity.verify_second_factor(grant, code).grant
            )
        else:
            identity.reauthenticate(grant, request.form.get("password", ""))
    except CodeRefusedError as error:
        _note_failure(Act.PROOF_FAILED, session.person().id, session.actor(), "code")
        return _step_up_form({"code": str(error)}), 400
    except BadCredentialsError:
        _note_failure(Act.PROOF_FAILED, session.person().id, session.actor(), "password")
        return _step_up_form({"password": "This is not your password."}), 400
    except TooManyAttemptsError as error:
        _note_failure(Act.PROOF_FAILED, session.person().id, session.actor(), "too often")
        return _step_up_form({"form": _come_back(error)}), 429
    services().people.sessions.prove(session.current())
    return redirect(sign_in_steps.destination())


def _checked(template: str, *, recovery: bool) -> str | Response | tuple[str, int]:
    throttle().count_address(CODE_PER_ADDRESS, "code")
    code = request.form.get("code", "")[:100]
    how = "recovery code" if recovery else "code"
    try:
        kept = sign_in_steps.pending(*_WAITING)
    except SessionEndedError:
        return _start_again()
    try:
        grant = services().people.sessions.grant_of(kept.session)
        identity = services().identity
        check = identity.redeem_recovery_code if recovery else identity.verify_second_factor
        return sign_in_steps.complete(kept, check(grant, code), how=how)
    except SessionEndedError:
        return _start_again()
    except CodeRefusedError as error:
        _note_failure(Act.SIGN_IN_FAILED, kept.person.id, actor_of(VISITOR), how)
        return _code_form(template, {"code": str(error)}), 400
    except TooManyAttemptsError as error:
        _note_failure(Act.SIGN_IN_FAILED, kept.person.id, actor_of(VISITOR), how)
        return _code_form(template, {"form": _come_back(error)}), 429


def _note_failure(act: Act, person_id: str, actor: Actor, step: str) -> None:
    log = services().people.security_log
    after_answering(partial(log.note_failure, act, person_id, actor=actor, step=step))


def _start_again() -> Response:
    flask.session.pop(sign_in_steps.PENDING, None)
    flash("That took too long. Please sign in again.", "info")
    return redirect(url_for("accounts.sign_in", next=sign_in_steps.wanted() or None))


def _come_back(error: TooManyAttemptsError) -> str:
    minutes = -(-(error.retry_after_s or 60) // 60)
    return f"There were too many wrong attempts. Try again in {minutes} min."


def _code_form(template: str, faults: dict[str, str] | None = None) -> str:
    return render_template(
        template,
        page="second_factor",
        errors=faults or {},
        next=sign_in_steps.wanted(),
        capabilities=services().identity.capabilities,
    )


def _step_up_form(faults: dict[str, str] | None = None) -> str:
    identity = services().people.sessions.check(session.current())
    capabilities = services().identity.capabilities
    can_use_app = identity.second_factor and Capability.SECOND_FACTOR in capabilities
    return render_template(
        "accounts/step_up.html",
        page="step_up",
        identity=identity,
        errors=faults or {},
        next=sign_in_steps.wanted(),
        can_use_app=can_use_app,
        ways=[
            (method.value, name)
            for method, name in _ELSEWHERE.items()
            if method in identity.methods and not can_use_app
        ],
    )
