"""What LiteLLM says went wrong, and how much of it a client may hear.

Its messages carry the provider's own words, and around them other things: names
of Python exceptions, model groups, addresses, once even the provider's key. Statuses
differ between versions (an exhausted budget is 400, 422 or 429), so the type and the
words decide first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import orjson

from adapters.litellm.client_codes import FULL_CONTEXT, RATE_LIMITED, client_code, is_flagged
from adapters.litellm.provider_words import MESSAGE_NAMES, provider_words
from adapters.litellm.waits_in_words import seconds_given, seconds_in_words, wait_given
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamFailedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

_BUSY = "The model receives too many requests right now."
_REFUSED = "The model refused this request."
_LONGEST_MESSAGE = 500
_BAD_REQUEST = 400
_FORBIDDEN = 403
_TOO_MANY = 429
_BAD_GATEWAY = 502
_ANSWERS = frozenset({"choices", "content", "output"})
"""What the answers of all protocols have that are streamed."""

_OVERLOADED = frozenset({503, 529})
"""What is out of order for a while, if it says for how long; 529 is Anthropic's."""

_OVERLOAD = "overloaded_error"
_SERVER_ERRORS_FROM = 500
# For an error that names no status, as on the Anthropic wire.
_STATUSES = {
    "invalid_request_error": 400,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    _OVERLOAD: 529,
}
_STATUS_NAMES = ("code", "status", "status_code", "statusCode")
_DEEPEST_MESSAGE = 5
# Enough to fill the message after cleaning. The patterns below may go back over what
# they have read, so a hostile text of megabytes must never meet them.
_LONGEST_READ = 2000

# Our key, our budget, our database, our account at the provider: the operator's to mend.
_OPERATOR_TYPES = frozenset(
    {
        "auth_error",
        "authentication_error",
        "billing_error",
        "budget_exceeded",
        "expired_key",
        "insufficient_quota",
        "key_model_access_denied",
        "no_db_connection",
        "permission_error",
        "team_model_access_denied",
        "token_not_found_in_db",
        "user_model_access_denied",
    }
)
# Only priced models are routed, so a name the proxy does not know means that its list
# changed under us: the operator's as well.
_QUOTA_WORDS = "exceeded your current quota"
_OPERATOR_WORDS = re.compile(
    r"Invalid model name passed in|Budget has been exceeded|ExceededBudget|insufficient_quota"
    r"|exceeded your current quota|AuthenticationError|PermissionDeniedError|invalid_api_key"
    r"|credit balance is too low|insufficient (?:account )?(?:balance|credits|funds)"
    r"|billing hard limit|requires more credits|API key (?:not valid|expired)"
    r"|organization (?:has been disabled|must be verified)|account is not active",
    re.IGNORECASE,
)
# What LiteLLM answers before it routes a call, where the virtual key is at fault.
_KEY_TYPES = frozenset(
    {
        "auth_error",
        "budget_exceeded",
        "expired_key",
        "key_model_access_denied",
        "no_db_connection",
        "token_not_found_in_db",
    }
)
_KEY_STATUSES = frozenset({400, 401, 403, 422, 429, 500, 503})
_REJECTED_STATUSES = frozenset({400, 404, 413, 422})


@dataclass(frozen=True, slots=True)
class Fault:
    """An error object as received. Its message is not fit to be shown.

    Attributes:
        message: Empty where none came.
        kind: Its ``type``, empty where none came.
        given_code: Its ``code`` as text, empty where none came.
        given_wait: How many seconds it says to wait, empty where it does not.
        recognised: Whether there was an error object at all.
    """

    message: str = ""
    kind: str = ""
    given_code: str = ""
    given_wait: str = ""
    recognised: bool = False

    @classmethod
    def of(cls, error: object) -> Self:
        """Read the value of ``error``, of any type."""
        if isinstance(error, str | list):
            return cls(_words_of(error), recognised=True)
        if not isinstance(error, Mapping):
            return cls()
        return cls(
            _words_of(error),
            _text(error.get("type")),
            str(error.get("code", "")),
            wait_given(error),
            recognised=True,
        )

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read the body of a refusal: JSON, or an event stream whose first event has the error.

        Some servers write what they have to say beside no ``error``, as web frameworks do too.
        """
        document = _document(body)
        if "error" in document:
            fault = cls.of(document["error"])
            return replace(fault, given_wait=fault.given_wait or wait_given(document))
        return replace(cls.of(document), recognised=document.get("object") == "error")

    @property
    def is_operators(self) -> bool:
        """Whether only the operator can mend it, with any status.

        A quota that is there again in a while is a rate: Gemini has the same words for both.
        """
        if self.is_flagged:
            return False
        if self.kind in _OPERATOR_TYPES:
            return True
        found = {words[0].lower() for words in _OPERATOR_WORDS.finditer(self.message)}
        is_rate = found == {_QUOTA_WORDS} and self.asked_wait_s is not None
        return bool(found) and not is_rate

    @property
    def is_flagged(self) -> bool:
        """Whether a filter has looked at the prompt: a status of 403 says no more than that."""
        return is_flagged(self.message[:_LONGEST_READ])

    @property
    def code(self) -> str | None:
        """OpenAI's word for it, where it is one that a client can act on.

        LiteLLM keeps it only within its message, or as the name of its exception.
        """
        if self.is_operators:
            return None
        return client_code(self.message[:_LONGEST_READ], kind=self.kind, given=self.given_code)

    @property
    def is_overload(self) -> bool:
        """Whether it is Anthropic's word for having too much to do, which LiteLLM tells as 500."""
        return _OVERLOAD in f"{self.kind} {self.message[:_LONGEST_READ]}"

    @property
    def retry_after_s(self) -> int | None:
        """Seconds that the provider asks to wait, rounded up, where it says so."""
        return None if self.is_operators else self.asked_wait_s

    @property
    def asked_wait_s(self) -> int | None:
        """Seconds that it says to wait, whosever fault it is."""
        named = seconds_given(self.given_wait)
        return seconds_in_words(self.message[:_LONGEST_READ]) if named is None else named

    @property
    def public_message(self) -> str:
        """What the client may hear: the provider's words without names, addresses and keys."""
        if self.is_operators:
            return str(UpstreamUnavailableError())
        return provider_words(self.message[:_LONGEST_READ])[:_LONGEST_MESSAGE] or _REFUSED

    @property
    def message_with_wait(self) -> str:
        """The same, with the time to wait in it: a stream has no headers left to say it in.

        Codex CLI looks for these words.
        """
        message = self.public_message
        wait = self.retry_after_s
        if wait is None or seconds_in_words(message) is not None:
            return message
        return f"{message.rstrip('.')}. Try again in {wait}s."


def refusal(status: int, body: bytes, *, retry_after: str | None) -> UpstreamError:
    """Return what a refused call means.

    Args:
        status: What the server answered instead of 2xx; a redirect is not followed.
        body: The beginning of the body.
        retry_after: The header as received: seconds, or a date.
    """
    fault, asked_s = Fault.read(body), seconds_given(retry_after)
    rejected = _rejection(fault, status, retry_after_s=asked_s)
    if rejected is not None:
        return rejected
    wait = fault.retry_after_s if asked_s is None else asked_s
    if status in _OVERLOADED and wait is not None:
        message = f"{_BUSY} Try again in {wait}s."
        return UpstreamFailedError(message, status=status, code="overloaded", retry_after_s=wait)
    if fault.is_overload and status >= _SERVER_ERRORS_FROM:
        return UpstreamFailedError(f"{_BUSY} Try again shortly.", status=503, code="overloaded")
    return UpstreamUnavailableError()


def failure_within(error: object) -> UpstreamError:
    """Return what an error in an answer of status 200 means, by the status that it names itself."""
    fault = Fault.of(error)
    named = error if isinstance(error, Mapping) else {}
    found = (_status(named.get(name)) for name in _STATUS_NAMES)
    status = next(filter(None, found), None)
    if status is None:
        unnamed = _BAD_GATEWAY if fault.code is None else _BAD_REQUEST
        status = _TOO_MANY if fault.code == RATE_LIMITED else _STATUSES.get(fault.kind, unnamed)
    rejected = _rejection(fault, status, retry_after_s=None)
    if rejected is not None:
        return rejected
    if status < _SERVER_ERRORS_FROM:
        return UpstreamUnavailableError()
    return UpstreamFailedError(fault.message_with_wait, status=status, code=fault.code)


def failure_in_document(body: bytes) -> UpstreamError | None:
    """Return what a document of status 200 says went wrong; None where it is an answer.

    One whose end is not there yet may be one.
    """
    document = _document(body)
    if document.get("error"):
        return failure_within(document["error"])
    if document.get("object") == "error":
        return failure_within(document)
    if not document or not _ANSWERS.isdisjoint(document):
        return None
    return failure_within(document) if _words_of(document) else UpstreamUnavailableError()


def _rejection(fault: Fault, status: int, *, retry_after_s: int | None) -> UpstreamError | None:
    """Return what a fault means that has a meaning of its own, beside that something failed."""
    if fault.is_operators:
        return UpstreamUnavailableError()
    if status >= _SERVER_ERRORS_FROM and fault.code == FULL_CONTEXT:
        # As llama.cpp and what stands before it say it; clients would repeat what cannot succeed.
        status = _BAD_REQUEST
    if status == _FORBIDDEN and fault.is_flagged:
        status = _BAD_REQUEST
    if status in {408, 504}:
        return UpstreamTimeoutError()
    if status == _TOO_MANY:
        wait = fault.retry_after_s if retry_after_s is None else retry_after_s
        advice = "shortly" if wait is None else f"in {wait}s"
        return UpstreamRejectedError(
            f"{_BUSY} Try again {advice}.", status=status, code=RATE_LIMITED, retry_after_s=wait
        )
    # A 404 without an error object is a wrong address, not a wrong request.
    if status in _REJECTED_STATUSES and (fault.recognised or status != 404):
        return UpstreamRejectedError(fault.public_message, status=status, code=fault.code)
    return None


def refuses_key(status: int, body: bytes) -> bool:
    """Whether a refusal is about the virtual key that a call went out with, or its budget.

    Such a call was refused before it was routed: it may be sent again with another key. The
    provider's own refusals of LiteLLM's account there have other types.
    """
    return status in _KEY_STATUSES and Fault.read(body).kind in _KEY_TYPES


def _status(value: object) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"[45][0-9]{2}", text) else None


def _document(body: bytes) -> dict[str, Any]:
    text = body.strip()
    if text.startswith(b"data:"):
        text = text.removeprefix(b"data:").partition(b"\n")[0]
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(document, list) and len(document) == 1:  # as Gemini writes its errors
        document = document[0]
    return document if isinstance(document, dict) else {}


def _words_of(value: object, depth: int = 0) -> str:
    """Return the first message in an error of any shape; empty where there is none."""
    if isinstance(value, str):
        return value
    if depth == _DEEPEST_MESSAGE:
        return ""
    if isinstance(value, Mapping):
        inner = [value[name] for name in MESSAGE_NAMES if name in value]
    else:
        inner = value[:1] if isinstance(value, list) else []
    return next(filter(None, (_words_of(item, depth + 1) for item in inner)), "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
