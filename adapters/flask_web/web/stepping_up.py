"""Acts that move money or change what protects it: only shortly after proving who one is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, flash, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web import session
from adapters.flask_web.web.error_answers import wants_json
from adapters.flask_web.web.errors import refusal
from creditcore.domain.keys import Scope

Args = ParamSpec("Args")
View = TypeVar("View")


class ProofWantedError(Exception):
    """Who is signed in has to show again who they are.

    Attributes:
        back_to: The page where they can do it again: what a form said is not repeated.
    """

    def __init__(self, back_to: str) -> None:
        self.back_to = back_to
        super().__init__("A fresh proof is wanted.")


def is_stepped_up() -> bool:
    """Whether who is signed in has proved it within half an hour."""
    return session.current().is_stepped_up(now=services().clock.now())


def ask_provider() -> None:
    """Ask now whether the session and the account still count: what comes next matters.

    Raises:
        SessionEndedError: They do not.
        IdentityUnavailableError: It cannot be asked, so nothing is done.
    """
    services().people.sessions.check(session.current())


def require_proof(back_to: str) -> None:
    """Go on only with who has proved lately who they are, and whose account counts now.

    Raises:
        ProofWantedError: They have to prove it first.
        SessionEndedError: The account or the session counts no more.
        IdentityUnavailableError: The provider cannot be asked, so nothing is done.
    """
    if not is_stepped_up():
        raise ProofWantedError(request.path if request.method == "GET" else url_for(back_to))
    ask_provider()


def check_key_maker(scopes: Collection[Scope]) -> None:
    """Look at who is about to make or change a key: one that manages others wants a fresh proof.

    A thief with such a key makes more of them, long after the session is over.

    Raises:
        ProofWantedError: They have to prove it first.
        SessionEndedError: The account or the session counts no more.
        IdentityUnavailableError: The provider cannot be asked, so nothing is done.
    """
    if Scope.ACCOUNT_MANAGE in scopes:
        require_proof("keys.show")
    else:
        ask_provider()


def stepped_up(back_to: str) -> Callable[[Callable[Args, View]], Callable[Args, View]]:
    """Let a view act only for who has proved lately who they are; ask the others first.

    Args:
        back_to: The endpoint to come back to.
    """

    def decorate(view: Callable[Args, View]) -> Callable[Args, View]:
        @wraps(view)
        @session.for_people
        def guarded(*args: Args.args, **kwargs: Args.kwargs) -> View:
            require_proof(back_to)
            return view(*args, **kwargs)

        return guarded

    return decorate


def register(app: Flask) -> None:
    """Lead people to the page where they prove it; programs are told with 403."""

    @app.errorhandler(ProofWantedError)
    def _ask(error: ProofWantedError) -> Response:
        page = url_for("accounts.step_up", next=error.back_to)
        if wants_json():
            said = f"Show again that it is you, then repeat this: {page}"
            answer = jsonify(refusal(403, said, code="step_up_required").body)
            answer.status_code = 403
            return answer
        flash("Please show that it is you; then do it again.", "info")
        return redirect(page)
