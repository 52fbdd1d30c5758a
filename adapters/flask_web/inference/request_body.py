"""The body of a request: not too long, not too slow, and all of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import gevent
from gunicorn.http.errors import ParseException

from adapters.flask_web.inference.body_budget import Share
from adapters.flask_web.web.errors import Refusal, RefusedError, refusal
from adapters.flask_web.web.turns import give_way

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

_READ_TIMEOUT_S = 30.0
_READ_BYTES = 64 * 1024
# Chunks may be of one byte each: these many take a tenth of a second.
_READ_CHUNKED_BYTES = 16 * 1024
_MAX_TURN_S = 0.01

_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")

# What follows on the connection could be the rest of the body.
_CLOSE = (("connection", "close"),)


def declared_length(environ: WSGIEnvironment) -> int | None:
    """Return the length that the client has announced, None if it does not say."""
    declared = environ.get("CONTENT_LENGTH") or ""
    return int(declared) if declared.isdigit() else None


def has_arrived(environ: WSGIEnvironment) -> bool:
    """Whether nothing has to be waited for: our worker hands a body over like this."""
    return isinstance(environ["wsgi.input"], BytesIO)


def may_hold_pdf(body: bytes) -> bool:
    """Whether a PDF in base64 may stand in a request: reading a small one may take long.

    No client writes a letter as an escape, but for one that would hide it.
    """
    # Not ``in``, which takes what it looks for to be a number first, and that fails dearly.
    return body.find(b"JVBERi") >= 0 or (
        body.find(b"\\u00") >= 0 and _ESCAPED_LETTER.search(body) is not None
    )


def read_body(environ: WSGIEnvironment, *, most: int, share: Share | None = None) -> bytes:
    """Read the whole body.

    Args:
        environ: The request.
        most: Bytes it may have.
        share: Counts the bytes as they come; left out, nothing counts them.

    Raises:
        OverloadedError: The share may not grow any more.
        RefusedError: It is longer, it took too long, or it is not what its head announces.
    """
    length = declared_length(environ)
    if length is not None and length <= most and has_arrived(environ):
        return _read_at_once(environ["wsgi.input"], length, share)
    # It gives its bytes away without a copy, which for a moment would take as much again.
    received = BytesIO()
    receive_body(environ, received.write, most=most, share=share)
    return received.getvalue()


def receive_body(
    environ: WSGIEnvironment,
    take: Callable[[bytes], object],
    *,
    most: int,
    share: Share | None = None,
    timeout_s: float = _READ_TIMEOUT_S,
) -> None:
    """Read the whole body, and hand each part over as it comes.

    Args:
        environ: The request.
        take: Called with each part.
        most: Bytes it may have.
        share: Counts the bytes as they come; left out, nothing counts them.
        timeout_s: How long it may take.

    Raises:
        OverloadedError: The share may not grow any more.
        RefusedError: It is longer, it took too long, or it is not what its head announces.
    """
    length = declared_length(environ)
    if length is not None and length > most:
        raise RefusedError(_too_large(most))
    stream = environ["wsgi.input"]
    if has_arrived(environ):
        _read(stream, length, most, share, take)
        return
    slow = gevent.Timeout(timeout_s)
    slow.start()
    try:
        _read(stream, length, most, share, take)
    except gevent.Timeout as timeout:
        if timeout is not slow:
            raise
        message = "The body took too long to arrive."
        raise _unfinished(408, message, code="request_timeout") from None
    except (ParseException, OSError) as error:
        message = "The body is not framed as Transfer-Encoding: chunked asks for."
        raise _unfinished(400, message, code="malformed_body") from error
    finally:
        slow.close()


def _read(
    stream: InputStream,
    length: int | None,
    most: int,
    share: Share | None,
    take: Callable[[bytes], object],
) -> None:
    received, turn = 0, time.monotonic()
    while length is None or received < length:
        wanted = _READ_CHUNKED_BYTES if length is None else min(_READ_BYTES, length - received)
        part = stream.read(wanted)
        if time.monotonic() - turn > _MAX_TURN_S:
            # A client that sends quickly never makes us wait, and its timeout could not fire.
            give_way()
            turn = time.monotonic()
        if not part:
            break
        received += len(part)
        if received > most:
            raise RefusedError(_too_large(most))
        if share is not None:
            share.take(len(part))
        take(part)
    if length is not None and received < length:
        raise _incomplete()


def _read_at_once(stream: InputStream, length: int, share: Share | None) -> bytes:
    if share is not None:
        share.take(length)
    body: bytes = stream.read(length)
    if len(body) < length:
        raise _incomplete()
    return body


def _too_large(most: int) -> Refusal:
    megabytes = most // (1024 * 1024)
    return refusal(413, f"A request has {megabytes} MB at most.", code="request_too_large")


def _incomplete() -> RefusedError:
    message = "The body is shorter than its Content-Length says."
    return _unfinished(400, message, code="incomplete_body")


def _unfinished(status: int, message: str, *, code: str) -> RefusedError:
    return RefusedError(refusal(status, message, code=code, headers=_CLOSE))
