"""One table: what each core error is in HTTP, for JSON and for pages.

It is longer than other modules so that the table stays one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request, url_for
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adapters.flask_web.web.returned_form import returned_fields
from adapters.flask_web.web.way_out import advice as lower
from creditcore.domain.errors import (
    AccountNotJoinedError,
    AlertsUndeliveredError,
    AnswerNotKeptError,
    BadCredentialsError,
    CallRunningError,
    ClientLeftError,
    CodeRefusedError,
    CodeSentError,
    CreditcoreError,
    EmailTakenError,
    IdentityUnavailableError,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    LimitReachedError,
    LinkRefusedError,
    ModelNotFoundError,
    NotFoundError,
    NotOfferedError,
    NotPermittedError,
    OAuthFailedError,
    OverloadedError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseLimitError,
    ReferenceConflictError,
    RefusedByStoreError,
    SessionEndedError,
    SignUpClosedError,
    StoreError,
    TokenReusedError,
    TooManyAttemptsError,
    UpstreamFailedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    WebhookRefusedError,
)
from creditcore.domain.money import div_ceil

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as the client sees it.

    Attributes:
        kind: ``error.type`` on the OpenAI wire.
        code: ``error.code`` there: stable, for machines.
        headers: Advice that machines follow.
        details: Facts that clients of the Anthropic wire act on.
    """

    status: int
    kind: str
    code: str | None
    message: str
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    details: Mapping[str, object] | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The OpenAI error object."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


class RefusedError(Exception):
    """Ends a request with an answer that only HTTP knows."""

    def __init__(self, answer: Refusal) -> None:
        self.answer = answer
        super().__init__(answer.message)


@dataclass(frozen=True, slots=True)
class _Row:
    status: int
    kind: str
    code: str
    headers: tuple[tuple[str, str], ...] = ()
    message: str = ""


_FINAL = (("x-should-retry", "false"),)
_RUNNING = (("retry-after", "1"), ("x-should-retry", "true"))
_SOON = (("retry-after", "1"),)

# From the most special to the most general: the first that fits counts.
_TABLE: tuple[tuple[type[CreditcoreError], _Row], ...] = (
    (InvalidRequestError, _Row(400, "invalid_request_error", "invalid_request")),
    (KeyRefusedError, _Row(401, "invalid_request_error", "invalid_api_key", _FINAL)),
    (InsufficientCreditsError, _Row(402, "insufficient_quota", "insufficient_quota", _FINAL)),
    (NotPermittedError, _Row(403, "invalid_request_error", "not_permitted", _FINAL)),
    (TokenReusedError, _Row(422, "invalid_request_error", "idempotency_key_reused", _FINAL)),
    (CallRunningError, _Row(409, "invalid_request_error", "call_running", _RUNNING)),
    (AnswerNotKeptError, _Row(409, "invalid_request_error", "call_made_already", _FINAL)),
    (ClientLeftError, _Row(499, "invalid_request_error", "client_left", _FINAL)),
    (LimitReachedError, _Row(429, "rate_limit_error", "rate_limit_exceeded")),
    (ModelNotFoundError, _Row(404, "invalid_request_error", "model_not_found")),
    (NotFoundError, _Row(404, "invalid_request_error", "not_found")),
    (BadCredentialsError, _Row(401, "invalid_request_error", "bad_credentials")),
    (SessionEndedError, _Row(401, "invalid_request_error", "session_ended")),
    (LinkRefusedError, _Row(400, "invalid_request_error", "link_refused")),
    (CodeRefusedError, _Row(400, "invalid_request_error", "code_refused")),
    (CodeSentError, _Row(409, "invalid_request_error", "code_sent")),
    (TooManyAttemptsError, _Row(429, "rate_limit_error", "too_many_attempts")),
    (SignUpClosedError, _Row(403, "invalid_request_error", "sign_up_closed")),
    (OAuthFailedError, _Row(400, "invalid_request_error", "oauth_failed")),
    (NotOfferedError, _Row(404, "invalid_request_error", "not_offered")),
    (IdentityUnavailableError, _Row(503, "server_error", "identity_unavailable", _SOON)),
    (AccountNotJoinedError, _Row(409, "invalid_request_error", "account_not_joined")),
    (EmailTakenError, _Row(409, "invalid_request_error", "email_taken")),
    (PurchaseLimitError, _Row(429, "invalid_request_error", "purchase_limit", _FINAL)),
    (ReferenceConflictError, _Row(409, "invalid_request_error", "reference_conflict")),
    (
        RefusedByStoreError,
        _Row(400, "invalid_request_error", "refused", message="This cannot be stored as it is."),
    ),
    (WebhookRefusedError, _Row(401, "invalid_request_error", "bad_signature")),
    (PaymentRejectedError, _Row(502, "server_error", "payment_rejected")),
    (
        PaymentGatewayUnavailableError,
        _Row(
            503,
            "server_error",
            "payment_provider_unavailable",
            (("retry-after", "30"),),
            "The payment provider cannot be reached. Nothing is lost; try again in a moment.",
        ),
    ),
    (UpstreamTimeoutError, _Row(504, "server_error", "upstream_timeout")),
    (UpstreamUnavailableError, _Row(502, "server_error", "upstream_unavailable")),
    (AlertsUndeliveredError, _Row(502, "server_error", "alerts_undelivered")),
    (OverloadedError, _Row(503, "server_error", "overloaded", _SOON)),
    (
        StoreError,
        _Row(
            503,
            "server_error",
            "unavailable",
            _SOON,
            "The ledger cannot be reached. Nothing was charged; try again in a moment.",
        ),
    ),
)


def refusal_of(
    error: CreditcoreError, *, base_url: str, limit_field: str = "max_tokens"
) -> Refusal:
    """Return what a core error is in HTTP.

    Args:
        error: What went wrong.
        base_url: Where the site is, for links.
        limit_field: The field of the request that limits its output.
    """
    if isinstance(error, UpstreamRejectedError):
        return _rejected(error)
    for kind, row in _TABLE:
        if isinstance(error, kind):
            return Refusal(
                status=getattr(error, "status", row.status),
                kind=row.kind,
                code=getattr(error, "code", None) or row.code,
                message=row.message or _message(error, base_url, limit_field),
                param=getattr(error, "param", None),
                headers=_retry_of(error) or row.headers,
                details=getattr(error, "details", None),
            )
    raise error


def refusal(
    status: int, message: str, *, code: str, headers: tuple[tuple[str, str], ...] = ()
) -> Refusal:
    """Return an error that only HTTP knows, such as a wrong method."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return Refusal(status=status, kind=kind, code=code, message=message, headers=headers)


def _rejected(error: UpstreamRejectedError) -> Refusal:
    headers = () if error.retry_after_s is None else (("retry-after", str(error.retry_after_s)),)
    throttled = error.status == 429
    return Refusal(
        status=error.status,
        kind="rate_limit_error" if throttled else "invalid_request_error",
        code=error.code or ("rate_limit_exceeded" if throttled else None),
        message=str(error),
        headers=headers,
    )


def _retry_of(error: CreditcoreError) -> tuple[tuple[str, str], ...]:
    """Return after how long a call may come again, where that is known."""
    if isinstance(error, UpstreamFailedError) and error.retry_after_s is not None:
        return (("retry-after", str(error.retry_after_s)),)
    if not isinstance(error, LimitReachedError):
        return ()
    milliseconds = div_ceil(error.retry_after_us, 1000)
    return (
        ("retry-after", str(div_ceil(milliseconds, 1000))),
        ("retry-after-ms", str(milliseconds)),
        ("x-should-retry", "true"),
    )


def _message(error: CreditcoreError, base_url: str, limit_field: str) -> str:
    match error:
        case KeyRefusedError(reason=reason):
            # Clients look for the first words (the litellm SDK does).
            return (
                f"Incorrect API key provided: it is {reason}. Send it as "
                f"'Authorization: Bearer sk-cc-...'; keys are made at {base_url}/dashboard/keys."
            )
        case ModelNotFoundError():
            return f"The model {error.name!r} does not exist here; see GET {base_url}/v1/models."
        case LimitReachedError():
            seconds = div_ceil(error.retry_after_us, 1_000_000)
            change = f"its owner may change it at {base_url}/dashboard/keys"
            if error.whose == "account":
                change = "it is set by the operator of this service"
            return f"{error} Try again in {seconds} s; {change}."
        case AnswerNotKeptError():
            return f"{error} It is at {base_url}/api/v1/calls/{error.call_id}."
        case InsufficientCreditsError():
            return _insufficient(error, base_url, limit_field)
        case _:
            return str(error)


def _insufficient(error: InsufficientCreditsError, base_url: str, limit_field: str) -> str:
    advice = f"add credits at {base_url}/dashboard/billing."
    where = f"available in the {error.limit}"
    if error.limit == "key":
        advice = f"raise the limit of the key at {base_url}/dashboard/keys."
        where = "left of the spend limit of this API key"
    if error.limit == "member":
        advice = f"ask an admin of your team to raise your limit at {base_url}/dashboard/team."
        where = "left of your limit in this team"
    if error.limit == "account":
        advice = "ask the operator of this service to raise that limit."
        where = "left of the spend limit of this account, which all its callers share"
    if error.resets_at is not None:
        where += f", which begins anew at {error.resets_at:%Y-%m-%d %H:%M} UTC"
    tokens = error.affordable_output_tokens
    if tokens:
        advice = f"{lower(limit_field, tokens)}, or {advice}"
    else:
        advice = advice[0].upper() + advice[1:]
    return (
        f"Insufficient credits: this request may cost up to {error.needed} credits, "
        f"{error.available} are {where}. {advice}"
    )


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
        if error.status == 401:
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
