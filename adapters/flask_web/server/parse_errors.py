"""What a client is told whose request could not be read: in JSON, as the API says everything.

Which page or which call it would have been is not known: it was refused before that.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import orjson
from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from adapters.flask_web.server.fast_path import SlowHeadError
from adapters.flask_web.web.errors import Refusal, refusal

_MAX_DETAIL_LENGTH = 300
# The only names that are repeated: all else in a malformed line may be a secret.
_FRAMING_HEADER = re.compile(r"\b(?:CONTENT-LENGTH|TRANSFER-ENCODING|HOST|TRAILER)\b")

_OUR_OWN = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
_REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (
        LimitRequestLine,
        refusal(
            414,
            "The address is too long. What is long goes into the body.",
            code="uri_too_long",
        ),
    ),
    (
        LimitRequestHeaders,
        refusal(
            431,
            "There are too many headers, or one is too large. What is long goes into the body.",
            code="headers_too_large",
        ),
    ),
    (
        ExpectationFailed,
        refusal(417, "Of Expect, only 100-continue is known.", code="expectation_failed"),
    ),
    (
        UnsupportedTransferCoding,
        refusal(
            501,
            "Of Transfer-Encoding, only chunked is known.",
            code="unsupported_transfer_coding",
        ),
    ),
    (
        SlowHeadError,
        refusal(408, "The head of the request took too long to arrive.", code="request_timeout"),
    ),
    (ForbiddenProxyRequest, refusal(403, "This proxy is not known here.", code="forbidden")),
)


def refusal_of_unread(error: BaseException) -> Refusal | None:
    """Return what a client is told that caused this error, or None if we did."""
    if not isinstance(error, ParseException) or isinstance(error, _OUR_OWN):
        return None
    for kind, answer in _REFUSALS:
        if isinstance(error, kind):
            return answer
    message = f"This is not HTTP as we read it: {fault_of_unread(error)}."
    return refusal(400, message, code="malformed_request")


def fault_of_unread(error: BaseException) -> str:
    """Return the kind of fault, without a word of the request: that may be a key or a cookie."""
    told = str(error)
    words = told.partition(":")[0].partition("'")[0].strip()[:_MAX_DETAIL_LENGTH]
    named = _FRAMING_HEADER.search(told)
    return f"{words} ({named[0]})" if named else words or type(error).__name__


def whole_answer(answer: Refusal, request_id: str) -> bytes:
    """Return a refusal as it is sent, after which the connection closes."""
    body = orjson.dumps(answer.body)
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body
