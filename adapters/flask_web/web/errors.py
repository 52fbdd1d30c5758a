"""One table: what each core error is in HTTP, for JSON and for pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.flask_web.web.affordable_limit import advice as lower
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
    PayerRefusedError,
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
    (PayerRefusedError, _Row(422, "invalid_request_error", "payer_refused", _FINAL)),
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
