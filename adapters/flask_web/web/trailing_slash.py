"""A slash too many at the end of an address leads to the page that is meant."""

from __future__ import annotations

from flask import Flask, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

_SITE = frozenset({"site", "accounts", "dashboard", "billing", "keys"})
"""The parts whose addresses people type. Programs are told that theirs is wrong."""


def register(app: Flask) -> None:
    """Redirect such addresses of the site; everything else is answered as it was asked for."""

    @app.before_request
    def _without_last_slash() -> Response | None:
        is_lost = request.url_rule is None and request.method in ("GET", "HEAD")
        if not is_lost or not request.path.endswith("/"):
            return None
        page = _page_at(app, request.path.rstrip("/"))
        if page is None:
            return None
        query = request.query_string.decode("latin-1")
        return redirect(f"{page}?{query}" if query else page, code=308)


def _page_at(app: Flask, path: str) -> str | None:
    """Return the address of a page of ours, written anew.

    Never the text that was asked for: to browsers ``//evil.example`` is another site.
    """
    routes = app.create_url_adapter(request)
    try:
        endpoint, values = routes.match(path, method="GET") if routes else ("", {})
    except HTTPException:
        return None
    return url_for(endpoint, **values) if endpoint.partition(".")[0] in _SITE else None
