"""Pages go over the wire compressed, but for those that show a secret.

How long a compressed answer is tells something of what is in it (BREACH). So only what a person
asks for by address is compressed: what a form leads to may show a new key, recovery codes or the
link of an invitation, this once. The pages of signing in and of joining carry tokens of mailed
links. Tokens of forms are masked (see ``form_tokens``), and a name of random length in the head of
the file blurs its size, as in Django's ``GZipMiddleware``
(https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip).
"""

from __future__ import annotations

import gzip
import secrets

from flask import Flask, Response, g, request

_MIN_BYTES = 1000
"""Below, the answer fits into one packet anyway."""

_LEVEL = 5
"""90 KB take half a millisecond and become 13; level 9 takes twice as long for 3 % less."""

_ASKS = ("GET", "HEAD")
_WITH_SECRETS = ("accounts", "joining", "security")
_HEAD_BYTES = 10
_FLAGS_AT = 3
_HAS_NAME = 8
_MAX_NAME_LENGTH = 100


def keep_plain() -> None:
    """Send the page that is being written as it is: it shows a secret."""
    g.keeps_plain = True


def register(app: Flask) -> None:
    """Compress the pages of an application, for clients that say that they can read it."""

    @app.after_request
    def _pack(response: Response) -> Response:
        if not _may_be_packed(response):
            return response
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            response.set_data(packed(response.get_data()))
            response.headers["Content-Encoding"] = "gzip"
        return response


def packed(page: bytes) -> bytes:
    """Return a page as a gzip file with a name of 1 to 100 random letters (RFC 1952, 2.3.1)."""
    made = gzip.compress(page, _LEVEL, mtime=0)
    head = bytearray(made[:_HEAD_BYTES])
    head[_FLAGS_AT] = _HAS_NAME
    name = b"a" * (1 + secrets.randbelow(_MAX_NAME_LENGTH))
    return b"".join((head, name, b"\0", made[_HEAD_BYTES:]))


def _may_be_packed(response: Response) -> bool:
    return (
        response.status_code == 200
        and response.mimetype == "text/html"
        and request.method in _ASKS
        and request.blueprint not in _WITH_SECRETS
        and not g.get("keeps_plain", False)
        and not response.is_streamed
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and "ETag" not in response.headers
        and len(response.get_data()) >= _MIN_BYTES
    )
