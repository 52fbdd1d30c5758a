"""Errors answered: as JSON or a problem document to programs, as a page to people."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, jsonify, render_template, request, url_for
from flask_login import AnonymousUserMixin, current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adapters.flask_web.web.errors import Refusal, refusal, refusal_of
from adapters.flask_web.web.returned_form import returned_fields
from creditcore.domain.errors import CreditcoreError

_log = logging.getLogger(__name__)

_HTTP_MESSAGES = {
    404: "Nothing is at this address. It may have moved, or the link is incomplete.",
    413: "What was sent is too large.",
    416: "The file has no such part.",
}

_PROBLEM = "application/problem+json"

_SENT_AGAIN = ("csrf_failed", "too_many_requests")
"""What is refused for no fault of a form: it comes back."""

_TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not allowed",
    404: "There is nothing here",
    405: "Not that way",
    409: "That was done already",
    413: "Too large",
    416: "It ends before that",
    429: "Too many attempts",
    502: "The other side is not answering",
    503: "Back in a moment",
    504: "The other side took too long",
}


def register(app: Flask, *, base_url: str) -> None:
    """Answer every error from the table: as JSON under ``/api`` and ``/v1``, else as a page."""

    @app.errorhandler(CreditcoreError)
    def _core_error(error: CreditcoreError) -> Response:
        return _answer(refusal_of(error, base_url=base_url))

    @app.errorhandler(CSRFError)
    def _csrf_error(error: CSRFError) -> Response:
        message = "This form is out of date. Go back, reload the page and send it again."
        if returned_fields() is not None:
            message = "This form is out of date. Look at it once more, then send it again."
        if wants_json():
            message = (
                f"{error.description} Send the header X-CSRFToken with the csrf_token of a form "
                f"of this session, such as the one at {base_url}/dashboard/billing and, over "
                "HTTPS, a Referer of this site."
            )
        return _answer(refusal(400, message, code="csrf_failed"))

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        message = _HTTP_MESSAGES.get(status) or error.description or error.name
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            allowed = " or ".join(sorted({*error.valid_methods} - {"HEAD", "OPTIONS"}))
            message = f"Use {allowed} here, not {request.method}."
        answer = _answer(refusal(status, message, code=code))
        for name, value in error.get_headers():
            if name.lower() in ("allow", "content-range", "retry-after"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        _log.error("request %s failed", g.get("request_id"), exc_info=error)
        message = (
            f"Something went wrong on our side. Tell support the number {g.get('request_id')}."
        )
        return _answer(refusal(500, message, code="internal_error"))


def wants_json() -> bool:
    """Whether a program asks."""
    if request.path.startswith(("/api/", "/v1/")):
        return not _is_form_of_a_person()
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _is_form_of_a_person() -> bool:
    return request.mimetype == "application/x-www-form-urlencoded" and (
        (request.accept_mimetypes.accept_html and not request.accept_mimetypes.accept_json)
        or "text/html" in request.headers.get("Accept", "")
    )


def _wants_problem() -> bool:
    return _PROBLEM in request.headers.get("Accept", "")


def _problem(error: Refusal) -> Response:
    """Return an error as RFC 9457 has it, for those who ask for it by name."""
    answer = jsonify(
        type="about:blank",
        title=_TITLES.get(error.status, "Something went wrong"),
        status=error.status,
        detail=error.message,
        code=error.code,
        param=error.param,
    )
    answer.mimetype = _PROBLEM
    return answer


def _answer(error: Refusal) -> Response:
    if error.status >= 500 and "_login_user" not in g:
        # The database may be what is wrong: this page must not ask it who is looking.
        g._login_user = AnonymousUserMixin()  # noqa: SLF001
    if wants_json():
        answer = _problem(error) if _wants_problem() else jsonify(error.body)
    else:
        action_url, action_label = url_for("site.landing"), "Back to the start"
        if error.status < 500 and current_user.is_authenticated:
            action_url, action_label = url_for("dashboard.home"), "Back to the overview"
        elif error.status == 401:
            action_url, action_label = url_for("accounts.sign_in"), "Sign in"
        answer = Response(
            render_template(
                "errors/error.html",
                page="error",
                status=error.status,
                title=_TITLES.get(error.status, "Something went wrong"),
                message=error.message,
                action_url=action_url,
                action_label=action_label,
                request_id=g.get("request_id", ""),
                fields=returned_fields() if error.code in _SENT_AGAIN else None,
                errors=error.code in _SENT_AGAIN,
            ),
            mimetype="text/html",
        )
    answer.status_code = error.status
    for name, value in error.headers:
        answer.headers[name] = value
    return answer
