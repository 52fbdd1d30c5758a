"""What goes by mail: confirming an address, and getting in without the password."""

from __future__ import annotations

import flask
from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from adapters.flask_web.accounts import sign_in_steps
from adapters.flask_web.accounts.views import blueprint
from adapters.flask_web.context import services, settings
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.security import is_local_path
from adapters.flask_web.web.throttle import LINK_PER_ADDRESS, MAIL_PER_ADDRESS, throttle
from creditcore.domain.activity import Act
from creditcore.domain.errors import (
    InvalidRequestError,
    LinkRefusedError,
    SessionEndedError,
)
from creditcore.domain.identities import Capability, LinkKind, NeedsConfirmation, SignOutScope
from creditcore.domain.people import clean_email, masked_email
from creditcore.domain.sessions import Stage

RESEND_AFTER_S = 60
_MAX_TOKEN_LENGTH = 512


@blueprint.get("/check-mail")
def check_mail() -> str | Response:
    """Say where to look, and offer to send it again."""
    email = flask.session.get(sign_in_steps.MAILED_TO, "")
    if not email:
        return redirect(url_for("accounts.sign_in", next=sign_in_steps.wanted() or None))
    return render_template(
        "accounts/check_mail.html",
        page="check_mail",
        email=email,
        kind=flask.session.get(sign_in_steps.MAILED_KIND, "signup"),
        wait_s=_wait_s(),
        next=sign_in_steps.wanted(),
    )


@blueprint.post("/check-mail")
def resend() -> Response:
    """Send it again, once a minute; nothing shows whether there was anything to send."""
    throttle().count_address(MAIL_PER_ADDRESS, "mail")
    email = flask.session.get(sign_in_steps.MAILED_TO, "")
    if not email:
        return redirect(url_for("accounts.sign_in", next=sign_in_steps.wanted() or None))
    if wait_s := _wait_s():
        flash(f"You can ask again in {wait_s} seconds. It can take that long to arrive.", "info")
        return redirect(url_for("accounts.check_mail", next=sign_in_steps.wanted() or None))
    kind = flask.session.get(sign_in_steps.MAILED_KIND, "signup")
    if kind == LinkKind.RECOVERY:
        services().identity.begin_recovery(email, next_path=sign_in_steps.wanted())
    else:
        services().identity.resend_confirmation(email, next_path=sign_in_steps.wanted())
    flash("Another link is on its way. The one before works no more.", "success")
    return sign_in_steps.to_check_mail(email, kind)


@blueprint.get("/auth/confirm")
def confirm() -> str | tuple[str, int]:
    """Show a button: programs that scan mail open links, and must not use them up."""
    kind, token = _link()
    if kind is None or not token:
        return _dead_link(LinkKind.SIGN_UP)
    return render_template(
        "accounts/confirm.html", page="confirm", kind=kind, token=token, next=_next_of_link()
    )


@blueprint.post("/auth/confirm")
def redeem() -> Response | tuple[str, int]:
    """Use a link up, and lead its owner on."""
    throttle().count_address(LINK_PER_ADDRESS, "link")
    kind, token = _link()
    if kind is None or not token:
        return _dead_link(LinkKind.SIGN_UP)
    try:
        if kind is LinkKind.EMAIL_CHANGE:
            return _change_email(token)
        outcome = services().identity.redeem(kind, token)
    except LinkRefusedError:
        return _dead_link(kind)
    if kind is not LinkKind.SIGN_UP:
        return sign_in_steps.proceed(outcome, recovering=True)
    if isinstance(outcome, NeedsConfirmation) or (
        flask.session.get(sign_in_steps.MAILED_TO) == outcome.identity.email
    ):
        return sign_in_steps.proceed(outcome, how="link")
    # Another browser than the one that signed up: its user may have been led here to work in
    # an account that is not theirs. Its owner knows its password.
    services().people.welcome.welcome(outcome.identity)
    services().identity.sign_out(outcome.grant, SignOutScope.THIS)
    flash("Your address is confirmed. Sign in to go on.", "success")
    return redirect(url_for("accounts.sign_in", next=sign_in_steps.wanted() or None))


@blueprint.get("/recover")
def recover() -> str:
    """Ask for the address."""
    return _recover_form()


@blueprint.post("/recover")
def begin_recovery() -> str | Response | tuple[str, int]:
    """Say that a link is on its way, whether or not it is."""
    throttle().count_address(MAIL_PER_ADDRESS, "mail")
    try:
        email = clean_email(request.form.get("email", ""))
        services().identity.begin_recovery(email, next_path=sign_in_steps.wanted())
    except InvalidRequestError as error:
        return _recover_form({error.param or "form": str(error)}), 400
    return sign_in_steps.to_check_mail(email, LinkKind.RECOVERY)


@blueprint.get("/new-password")
def new_password() -> str | Response:
    """Let a person who came by a link choose a password."""
    try:
        kept = sign_in_steps.pending(Stage.NEW_PASSWORD)
    except SessionEndedError:
        return _start_again()
    return _new_password_form(kept.person.email)


@blueprint.post("/new-password")
def choose_password() -> str | Response | tuple[str, int]:
    """Set it, end all other sessions, and let them in."""
    try:
        kept = sign_in_steps.pending(Stage.NEW_PASSWORD)
        grant = services().people.sessions.grant_of(kept.session)
        outcome = services().identity.complete_recovery(grant, request.form.get("password", ""))
    except SessionEndedError:
        return _start_again()
    except InvalidRequestError as error:
        return _new_password_form(kept.person.email, {"password": str(error)}), 400
    answer = sign_in_steps.proceed(
        outcome, instead_of=kept.session, alone=True, how="link", act=Act.PASSWORD_CHANGED
    )
    flash("Your new password is set. All other sessions were ended.", "success")
    return answer


def _change_email(token: str) -> Response:
    identity = services().identity.confirm_email_change(token)
    if identity is None:
        flash("One of two: open the link in your other mailbox as well.", "info")
    else:
        person = services().people.welcome.welcome(identity)
        services().people.security_log.note(
            Act.EMAIL_CHANGED,
            person.id,
            actor=actor_of(person.id),
            email=masked_email(person.email),
        )
        flash("Your new address counts from now on.", "success")
    page = "security.show" if current_user.is_authenticated else "accounts.sign_in"
    return redirect(url_for(page))


def _link() -> tuple[LinkKind | None, str]:
    token = request.values.get("token_hash", "")
    if len(token) > _MAX_TOKEN_LENGTH:
        return None, ""
    try:
        return LinkKind(request.values.get("type", "")), token
    except ValueError:
        return None, ""


def _next_of_link() -> str:
    """Return where a link leads on to; Supabase's templates can only say it as a whole address."""
    whole = request.args.get("redirect_to", "")
    base = settings().base_url
    path = whole.removeprefix(base) if whole.startswith(f"{base}/") else ""
    return sign_in_steps.wanted() or (path if is_local_path(path) else "")


def _dead_link(kind: LinkKind) -> tuple[str, int]:
    page = render_template(
        "accounts/dead_link.html",
        page="confirm",
        kind=kind,
        next=sign_in_steps.wanted(),
        capabilities=services().identity.capabilities,
    )
    return page, 400


def _start_again() -> Response:
    flash("That took too long, or the link was used elsewhere. Ask for a new one.", "info")
    return redirect(url_for("accounts.recover"))


def _wait_s() -> int:
    asked_at = int(flask.session.get(sign_in_steps.MAILED_AT, 0))
    left = asked_at + RESEND_AFTER_S - int(services().clock.now().timestamp())
    return max(0, min(left, RESEND_AFTER_S))


def _recover_form(faults: dict[str, str] | None = None) -> str:
    return render_template(
        "accounts/recover.html",
        page="recover",
        email=request.form.get("email", ""),
        errors=faults or {},
        next=sign_in_steps.wanted(),
        offered=Capability.RECOVERY in services().identity.capabilities,
    )


def _new_password_form(email: str, faults: dict[str, str] | None = None) -> str:
    return render_template(
        "accounts/new_password.html",
        page="new_password",
        email=email,
        errors=faults or {},
        next=sign_in_steps.wanted(),
    )
