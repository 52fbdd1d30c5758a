"""What happens to a browser when a person comes nearer to being signed in."""

from __future__ import annotations

import flask
from flask import redirect, request, url_for
from flask_login import login_user
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web import client_origin, devices, session
from adapters.flask_web.web.security import is_local_path
from creditcore.domain.activity import Act
from creditcore.domain.errors import BadCredentialsError, SessionEndedError
from creditcore.domain.identities import NeedsConfirmation, NeedsSecondFactor, SignedIn, SignIn
from creditcore.domain.sessions import Session, Stage
from creditcore.usecases.people.keep_sessions import Kept

PENDING = "pending"
"""Where the cookie keeps the secret of a session that is not open yet."""

MAILED_TO, MAILED_KIND, MAILED_AT = "mailed_to", "mailed_kind", "mailed_at"
"""Whom this browser has asked a mail for, of which kind, and when."""


def wanted() -> str:
    """Return where they were going, if that is a page of this site; else nothing."""
    target = request.values.get("next", "")
    return target if is_local_path(target) else ""


def destination() -> str:
    """Return where they go from here."""
    return wanted() or url_for("dashboard.home")


def proceed(
    outcome: SignIn,
    *,
    recovering: bool = False,
    instead_of: Session | None = None,
    alone: bool = False,
    next_path: str = "",
    how: str = "",
    act: Act = Act.SIGNED_IN,
) -> Response:
    """Lead a person on to the next step; a new session always has a new secret.

    Args:
        outcome: What the provider says of them.
        recovering: They came by a link after which a password is chosen.
        instead_of: The session of the step before.
        alone: All their other sessions end.
        next_path: Where they were going, where the request does not say it itself.
        how: By what they showed who they are, for the activity log.
        act: What the activity log calls it.

    Raises:
        SessionEndedError: All their sessions were ended at this very moment.
    """
    if isinstance(outcome, NeedsConfirmation):
        return to_check_mail(outcome.email, "signup")
    goal = next_path or wanted()
    try:
        person = services().people.welcome.welcome(outcome.identity)
    except BadCredentialsError as error:
        raise SessionEndedError from error
    stage, step = _next_step(outcome, recovering=recovering)
    begun = services().people.sessions.begin(
        person,
        outcome,
        device=client_origin.here(),
        stage=stage,
        instead_of=instead_of,
        alone=alone,
        actor=client_origin.actor_of(person.id),
        act=act,
        how=how,
    )
    forget_browser()
    if step:
        flask.session[PENDING] = begun.secret
        return redirect(url_for(step, next=goal or None))
    login_user(session.SignedIn(person, begun.session, begun.secret))
    devices.remember(person.email)
    services().people.profiles.place(person.id, request.form.get("timezone", ""))
    return redirect(goal or url_for("dashboard.home"))


def complete(kept: Kept, outcome: SignedIn, *, how: str) -> Response:
    """Lead a person on who has shown the second factor."""
    recovering = kept.session.stage is Stage.RECOVERING
    return proceed(outcome, recovering=recovering, instead_of=kept.session, how=how)


def _next_step(outcome: SignedIn | NeedsSecondFactor, *, recovering: bool) -> tuple[Stage, str]:
    if isinstance(outcome, NeedsSecondFactor):
        stage = Stage.RECOVERING if recovering else Stage.SECOND_FACTOR
        return stage, "accounts.second_factor"
    if recovering:
        return Stage.NEW_PASSWORD, "accounts.new_password"
    return Stage.OPEN, ""


def pending(*stages: Stage) -> Kept:
    """Return who is half signed in here, at one of these stages.

    Raises:
        SessionEndedError: No person is, or it took them too long.
    """
    secret = flask.session.get(PENDING, "")
    kept = services().people.sessions.resume(secret) if secret else None
    if kept is None or kept.session.stage not in stages:
        raise SessionEndedError
    return kept


def to_check_mail(email: str, kind: str) -> Response:
    """Lead on to the page that says where to look; the same whether or not a mail was sent."""
    flask.session.permanent = True
    flask.session[MAILED_TO] = email
    flask.session[MAILED_KIND] = kind
    flask.session[MAILED_AT] = int(services().clock.now().timestamp())
    return redirect(url_for("accounts.check_mail", next=wanted() or None))


def forget_browser() -> None:
    """Carry nothing of the session before over into the one that follows."""
    flask.session.clear()
    flask.session.permanent = True
