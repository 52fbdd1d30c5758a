"""What protects an account: password, address, second factor, sessions, and closing it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import logout_user
from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from adapters.flask_web.accounts import activity_list, sign_in_steps
from adapters.flask_web.accounts.activity_list import LATEST
from adapters.flask_web.context import services
from adapters.flask_web.web import qr_code, session
from adapters.flask_web.web.account import own_wallet
from adapters.flask_web.web.stepping_up import is_stepped_up, stepped_up
from adapters.flask_web.web.throttle import MAIL_PER_ADDRESS, throttle
from creditcore.domain.activity import Act
from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    CodeSentError,
    InvalidRequestError,
    LastOwnerError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import Capability, Enrolment, Grant, Method
from creditcore.domain.money import ZERO
from creditcore.domain.people import clean_email, masked_email

blueprint = Blueprint("security", __name__, url_prefix="/dashboard/security")

_MAX_URI_LENGTH = 512
_MAX_NUMBER = 2**62


@blueprint.get("")
@session.for_people
def show() -> str:
    """Show what protects the account."""
    return _page()


@blueprint.post("/password")
@stepped_up("security.show")
def change_password() -> str | Response | tuple[str, int]:
    """Replace the password; ends all other sessions."""
    form = request.form
    try:
        outcome = services().identity.change_password(
            _grant(),
            form.get("password", ""),
            current=form.get("current", ""),
            code=form.get("code", "").strip(),
        )
    except BadCredentialsError:
        services().people.security_log.note_failure(
            Act.PROOF_FAILED, session.person().id, actor=session.actor(), step="password"
        )
        return _page({"current": "This is not your present password."}), 400
    except CodeSentError as error:
        return _page({"code": str(error)}, asks_code=True), 400
    except CodeRefusedError as error:
        return _page({"code": str(error)}, asks_code=True), 400
    except InvalidRequestError as error:
        return _page({"password": str(error)}), 400
    except TooManyAttemptsError as error:
        return _page({"current": str(error)}), 429
    answer = sign_in_steps.proceed(
        outcome,
        instead_of=session.current(),
        alone=True,
        next_path=url_for("security.show"),
        act=Act.PASSWORD_CHANGED,
    )
    flash("Your new password is set. All other sessions were ended.", "success")
    return answer


@blueprint.post("/email")
@stepped_up("security.show")
def change_email() -> str | Response | tuple[str, int]:
    """Send a link to the new address; nothing changes before it is opened."""
    throttle().count_address(MAIL_PER_ADDRESS, "mail")
    email = request.form.get("email", "")
    try:
        services().identity.begin_email_change(_grant(), email)
    except InvalidRequestError as error:
        return _page({"email": str(error)}), 400
    _note(Act.EMAIL_CHANGE_ASKED, new_email=masked_email(clean_email(email)))
    flash("Open the link that we have sent to the new address. Until then nothing changes.", "info")
    return redirect(url_for("security.show"))


@blueprint.post("/second-factor")
@stepped_up("security.show")
def begin_second_factor() -> str | tuple[str, int]:
    """Show the picture for an authenticator app."""
    try:
        enrolment = services().identity.begin_second_factor(_grant())
    except InvalidRequestError as error:
        return _page({"second_factor": str(error)}), 409
    return _enrolment_page(enrolment)


@blueprint.post("/second-factor/confirm")
@stepped_up("security.show")
def confirm_second_factor() -> str | tuple[str, int]:
    """Let the app count, and show the recovery codes, this once."""
    form = request.form
    shown = Enrolment(
        id=form.get("enrolment", "")[:100],
        secret=form.get("secret", "")[:100],
        uri=form.get("uri", "")[:_MAX_URI_LENGTH],
    )
    try:
        enrolled = services().identity.confirm_second_factor(
            _grant(), shown.id, form.get("code", "")[:20]
        )
    except CodeRefusedError as error:
        return _enrolment_page(shown, {"code": str(error)}), 400
    except TooManyAttemptsError as error:
        return _enrolment_page(shown, {"code": str(error)}), 429
    services().people.sessions.keep(session.current(), enrolled.grant)
    _note(Act.SECOND_FACTOR_ADDED)
    return _codes_page(enrolled.recovery_codes, is_new=True), 201


@blueprint.post("/second-factor/remove")
@stepped_up("security.show")
def remove_second_factor() -> Response:
    """Let the password be enough again."""
    outcome = services().identity.remove_second_factor(_grant())
    services().people.sessions.keep(session.current(), outcome.grant)
    _note(Act.SECOND_FACTOR_REMOVED)
    flash("The second factor is off. The password alone lets you in.", "info")
    return redirect(url_for("security.show"))


@blueprint.post("/recovery-codes")
@stepped_up("security.show")
def renew_recovery_codes() -> tuple[str, int]:
    """Show ten new codes, this once; the old ones work no more."""
    codes = services().identity.renew_recovery_codes(_grant())
    _note(Act.RECOVERY_CODES_RENEWED)
    return _codes_page(codes, is_new=False), 201


@blueprint.post("/disconnect/<method>")
@stepped_up("security.show")
def disconnect(method: str) -> Response | tuple[str, int]:
    """Take Google or GitHub off the account."""
    try:
        identity = services().identity.unlink(_grant(), Method(method))
    except ValueError:
        raise NotFound from None
    except InvalidRequestError as error:
        return _page({"connected": str(error)}), 400
    # The server may have given the account the address of a way in that is left.
    services().people.welcome.welcome(identity)
    _note(Act.WAY_IN_DISCONNECTED, method=method)
    flash("It is disconnected: it opens this account no more.", "success")
    return redirect(url_for("security.show"))


@blueprint.post("/sessions/<session_id>/end")
@session.for_people
def end_session(session_id: str) -> Response:
    """End one session of theirs."""
    if session_id == session.current().id:
        return redirect(url_for("security.show"))
    if services().people.sessions.end(
        session_id, person_id=session.person().id, actor=session.actor()
    ):
        flash("That session is over.", "success")
    return redirect(url_for("security.show"))


@blueprint.post("/sessions/end-others")
@session.for_people
def end_others() -> Response:
    """End every session of theirs but this."""
    ended = services().people.sessions.end_others(session.current(), actor=session.actor())
    flash(f"Sessions ended: {ended}. Only this one is left.", "success")
    return redirect(url_for("security.show"))


@blueprint.post("/sign-out-everywhere")
@session.for_people
def sign_out_everywhere() -> Response:
    """End every session of theirs, this too, and every copy of their cookies."""
    services().people.sessions.end_all(session.current(), actor=session.actor())
    logout_user()
    sign_in_steps.forget_browser()
    flash("You are signed out, on every device.", "info")
    return redirect(url_for("site.landing"))


@blueprint.get("/close")
@stepped_up("security.show")
def close() -> str:
    """Say what closing the account means."""
    return _close_page()


@blueprint.post("/close")
@stepped_up("security.show")
def close_account() -> str | Response | tuple[str, int]:
    """Close it, for who has typed the address and gives up what is left."""
    faults = {}
    if request.form.get("email", "").strip().lower() != session.person().email:
        faults["email"] = "Type the e-mail address of this account."
    found = own_wallet()
    if found and found.available > ZERO and not request.form.get("give_up"):
        faults["give_up"] = "Say that you give up the balance."
    if faults:
        return _close_page(faults), 400
    try:
        services().people.closing.close(session.person().id, actor=session.actor())
    except LastOwnerError as error:
        return _close_page({"team": str(error)}), 400
    logout_user()
    sign_in_steps.forget_browser()
    flash("Your account is closed.", "info")
    return redirect(url_for("site.landing"))


@blueprint.get("/activity")
@session.for_people
def activity() -> str:
    """List what happened to the account, a page at a time."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < _MAX_NUMBER:
        before = None
    found = activity_list.page(session.person().id, before=before)
    return render_template(
        "accounts/activity.html", page="activity", section="security", found=found, before=before
    )


def _note(act: Act, **details: object) -> None:
    services().people.security_log.note(act, session.person().id, actor=session.actor(), **details)


def _grant() -> Grant:
    return services().people.sessions.grant_of(session.current())


def _page(faults: dict[str, str] | None = None, *, asks_code: bool = False) -> str:
    capabilities = services().identity.capabilities
    identity = services().people.sessions.check(session.current())
    offered = {Method.GOOGLE: Capability.GOOGLE, Method.GITHUB: Capability.GITHUB}
    return render_template(
        "accounts/security.html",
        page="security",
        errors=faults or {},
        identity=identity,
        sessions=services().people.sessions.list_of(session.person()),
        current_session=session.current(),
        capabilities=capabilities,
        ways=[
            method
            for method, capability in offered.items()
            if method in identity.methods
            or (capability in capabilities and Capability.LINKING in capabilities)
        ],
        stepped_up=is_stepped_up(),
        asks_code=asks_code,
        latest=activity_list.page(session.person().id, limit=LATEST),
        email_typed=request.form.get("email", ""),
    )


def _enrolment_page(enrolment: Enrolment, faults: dict[str, str] | None = None) -> str:
    return render_template(
        "accounts/enrolment.html",
        page="enrolment",
        section="security",
        enrolment=enrolment,
        picture=_picture(enrolment.uri),
        errors=faults or {},
    )


def _picture(uri: str) -> Markup:
    """Return the QR code of an authenticator's address; nothing for what is no such address."""
    return qr_code.drawn(uri) if uri.startswith("otpauth://totp/") else Markup("")


def _codes_page(codes: tuple[str, ...], *, is_new: bool) -> str:
    return render_template(
        "accounts/recovery_codes.html",
        page="recovery_codes",
        section="security",
        codes=codes,
        is_new=is_new,
    )


def _close_page(faults: dict[str, str] | None = None) -> str:
    values: dict[str, Any] = {
        "page": "close",
        "section": "security",
        "errors": faults or {},
        "wallet": own_wallet(),
    }
    return render_template("accounts/close.html", **values)
