"""What a request says, and how an answer is written, in terms of WSGI."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from adapters.flask_web.inference.request_body import declared_length, has_arrived, read_body
from adapters.flask_web.web.bearer import either_secret
from adapters.flask_web.web.errors import RefusedError, refusal
from creditcore.domain.keys import KeySecret
from creditcore.ports.inference import Wire

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


MAX_FORM_BYTES = 1024 * 1024
"""The site takes forms and webhooks."""


JSON = "application/json"


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


_UNENCODED = frozenset({"", "identity", "utf-8"})
"""The last is no encoding of HTTP, but what some programs call JSON."""


# What is echoed in an answer must not be taken for a page.
AS_SAID = ("x-content-type-options", "nosniff")


Headers = list[tuple[str, str]]


def id_headers(wire: Wire, call_id: str) -> Headers:
    """Return the headers that name a call, as SDKs of its protocol look for them."""
    return [(name, call_id) for name in wire.id_headers]


def secret_of(wire: Wire, environ: WSGIEnvironment) -> KeySecret:
    """Return the key that a request comes with, in one of its protocol's places.

    Raises:
        KeyRefusedError: There is none, or it is malformed.
    """
    return either_secret(header_of(environ, "authorization"), header_of(environ, wire.key_header))


def header_of(environ: WSGIEnvironment, name: str) -> str | None:
    """Return a header of a request."""
    value: str | None = environ.get(_environ_key(name))
    return value


@functools.cache
def _environ_key(name: str) -> str:
    # The names are our wires' own: there are only a few.
    return f"HTTP_{name.upper().replace('-', '_')}"


def require_unencoded(environ: WSGIEnvironment) -> None:
    """Refuse a body that would have to be unpacked first.

    Raises:
        RefusedError: It says that it is encoded.
    """
    encoding: str | None = environ.get("HTTP_CONTENT_ENCODING")
    if encoding and encoding.strip().lower() not in _UNENCODED:
        message = "Send the body as it is, without Content-Encoding."
        raise RefusedError(refusal(415, message, code="unsupported_encoding"))


def require_method(environ: WSGIEnvironment, method: str) -> None:
    """Refuse every other method; HEAD is a GET of which only the head is sent.

    Raises:
        RefusedError: It is another one.
    """
    used = environ["REQUEST_METHOD"]
    if used != method and (used, method) != ("HEAD", "GET"):
        message = f"Use {method} here, not {used}."
        raise RefusedError(
            refusal(405, message, code="method_not_allowed", headers=(("allow", method),))
        )


def in_time(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return the same request with its body, which the site would wait for as long as it takes.

    One that is announced as too long is left alone: the site refuses it unread.
    """
    length = declared_length(environ)
    # Without a length, only some servers end the stream where the request ends.
    is_endless = length is None and not environ.get("wsgi.input_terminated")
    if is_endless or has_arrived(environ) or (length is not None and length > MAX_FORM_BYTES):
        return environ
    body = read_body(environ, most=MAX_FORM_BYTES)
    arrived = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    arrived.pop("HTTP_TRANSFER_ENCODING", None)
    return arrived


def whole(
    start_response: StartResponse,
    status: int,
    body: bytes,
    headers: Headers,
    *,
    media_type: str = JSON,
) -> Iterable[bytes]:
    """Answer with a body that is known from its beginning to its end."""
    start_response(
        f"{status} {_PHRASES.get(status, 'Refused')}",
        [
            ("content-type", media_type),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            AS_SAID,
            *headers,
        ],
    )
    return [body]
