"""Headers that every page carries, and which addresses a page may lead to."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from adapters.flask_web.settings import Settings
from adapters.flask_web.web.log_lines import CALL_ID
from adapters.flask_web.web.operator import Operator


def register(app: Flask, settings: Settings, *, elsewhere: Sequence[str]) -> None:
    """Name every request, and send the headers that keep a page to itself."""
    policy = _content_security_policy(elsewhere, Operator.of(settings).logo_origin)
    secure = urlsplit(settings.base_url).scheme == "https"

    @app.before_request
    def _name_request() -> None:
        g.request_id = f"req-{secrets.token_hex(12)}"
        CALL_ID.set(g.request_id)

    @app.before_request
    def _refuse_nul() -> None:
        # No name of ours has one, and PostgreSQL cannot even be asked about it.
        if any("\0" in text for text in (request.path, *request.args.values())):
            raise NotFound

    @app.after_request
    def _add_headers(response: Response) -> Response:
        headers = response.headers
        location = headers.get("Location", "")
        if location.startswith(request.host_url):
            # The router takes the name from the request, where a client can write any.
            headers["Location"] = f"/{location.removeprefix(request.host_url).lstrip('/')}"
        headers["X-Request-Id"] = g.get("request_id", "")
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        return response


def is_local_path(target: str) -> bool:
    """Whether a redirect to this address stays here; everything else may be an attack."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and not parts.netloc
        and target.isprintable()
    )


def _content_security_policy(elsewhere: Sequence[str], logo: str) -> str:
    # Browsers apply form-action to the redirects behind a form too: the checkout's host, and
    # those on the way to Google and GitHub.
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: {logo}".rstrip(),
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {' '.join(sorted(set(elsewhere)))}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
