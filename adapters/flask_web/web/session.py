"""Who is signed in, and what every page of theirs shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, flash, jsonify, redirect, request, url_for
from flask import session as cookie
from flask_login import LoginManager, UserMixin, current_user, login_required, login_url
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.web import viewing
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.error_answers import wants_json
from adapters.flask_web.web.errors import refusal
from adapters.flask_web.web.navigation import ELSEWHERE, OPERATE, PLACES
from creditcore.domain.access import ANYBODY, Action, Viewer, may
from creditcore.domain.activity import Actor
from creditcore.domain.people import Person
from creditcore.domain.sessions import Session, Stage

_ASKS = ("GET", "HEAD", "OPTIONS")

Args = ParamSpec("Args")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """A person and the session they are in, as flask-login wants them.

    Attributes:
        operator: Who looks at the person's pages, where it is not the person.
    """

    person: Person
    session: Session
    secret: str = field(repr=False)
    operator: Person | None = None

    @property
    def email(self) -> str:
        """What the header shows."""
        return self.person.email

    def get_id(self) -> str:
        """What the session cookie keeps, and nothing else does."""
        return self.secret


def person() -> Person:
    """Return who is signed in, on a page that only they can see."""
    signed_in: SignedIn = current_user
    return signed_in.person


def current() -> Session:
    """Return the session of who is signed in, on a page that only they can see."""
    signed_in: SignedIn = current_user
    return signed_in.session


def actor() -> Actor:
    """Return who is signed in, as the activity log keeps it: the operator, where one looks."""
    return actor_of((current_user.operator or person()).id)


def for_people(view: Callable[Args, View]) -> Callable[Args, View]:
    """Let only people who are signed in see a page; others are asked to sign in first.

    Programs are told so with 401, and not led to a page.
    """

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> View:
        if not current_user.is_authenticated and wants_json():
            answer = jsonify(refusal(401, "Sign in first.", code="not_signed_in").body)
            answer.status_code = 401
            return cast("View", answer)
        if request.method not in _ASKS and not current_user.is_authenticated:
            # Coming back to this address after signing in would ask for it, not send the form.
            flash("Please sign in, then do it again.", "info")
            return cast("View", redirect(url_for("accounts.sign_in")))
        seen: View = login_required(view)(*args, **kwargs)
        return seen

    return guarded


def for_operators(view: Callable[Args, View]) -> Callable[Args, View]:
    """Let only operators see a page; for others who are signed in, there is no such page."""

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> View:
        if not may(viewer(), Action.OPERATE):
            raise NotFound
        return view(*args, **kwargs)

    return for_people(guarded)


def viewer() -> Viewer:
    """Return who looks at this page, signed in or not, whatever account they have chosen."""
    return Viewer(person=person()) if current_user.is_authenticated else ANYBODY


def register(app: Flask) -> None:
    """Recognise people by their session cookie."""
    manager = LoginManager(app)
    viewing.register(app)

    @manager.unauthorized_handler  # type: ignore[untyped-decorator]
    def _ask_to_sign_in() -> Response:
        if "_flashes" not in cookie:
            # Else the page before has said already why it comes to this.
            flash("Please sign in to see this page.", "info")
        return redirect(login_url("accounts.sign_in", next_url=request.url))

    @manager.user_loader  # type: ignore[untyped-decorator]
    def _load(secret: str) -> SignedIn | None:
        kept = services().people.sessions.resume(secret)
        if kept is None or kept.session.stage is not Stage.OPEN:
            return None
        viewed_id = viewing.viewed_by(kept.person, now=services().clock.now())
        if viewed_id is not None:
            with services().transactions.begin() as tx:
                viewed = tx.people.find(viewed_id)
            if viewed is not None:
                return SignedIn(viewed, kept.session, secret, operator=kept.person)
            viewing.forget()
        return SignedIn(kept.person, kept.session, secret)

    @app.context_processor
    def _shared() -> dict[str, Any]:
        return {
            "base_url": settings().base_url,
            "elsewhere": ELSEWHERE,
            "places": (*PLACES, OPERATE) if may(viewer(), Action.OPERATE) else PLACES,
            "sandbox": settings().is_sandbox,
        }
