"""Acts that move money or change what protects it: only shortly after proving who one is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import flash, redirect, request, url_for

from adapters.flask_web.context import services
from adapters.flask_web.web import session

Args = ParamSpec("Args")
View = TypeVar("View")


def is_stepped_up() -> bool:
    """Whether who is signed in has proved it within half an hour."""
    return session.current().is_stepped_up(now=services().clock.now())


def stepped_up(back_to: str) -> Callable[[Callable[Args, View]], Callable[Args, View]]:
    """Let a view act only for who has proved lately who they are; ask the others first.

    The provider is asked too, so that an account that was closed a moment ago does nothing more.

    Args:
        back_to: The endpoint to come back to: what a form said is not repeated.
    """

    def decorate(view: Callable[Args, View]) -> Callable[Args, View]:
        @wraps(view)
        @session.for_people
        def guarded(*args: Args.args, **kwargs: Args.kwargs) -> View:
            if not is_stepped_up():
                flash("Please show that it is you; then do it again.", "info")
                asked = request.path if request.method == "GET" else url_for(back_to)
                return cast("View", redirect(url_for("accounts.step_up", next=asked)))
            services().sessions.check(session.current())
            return view(*args, **kwargs)

        return guarded

    return decorate
