"""Redirects with the small page that comes with them, and the consent page."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, select_autoescape
from markupsafe import escape
from werkzeug.wrappers import Response

_HTML = "text/html; charset=utf-8"
_ENVIRONMENT = Environment(autoescape=select_autoescape(default=True))
_CONSENT = _ENVIRONMENT.from_string(Path(__file__).with_name("consent.html").read_text())
_NAMES = {302: "Found", 303: "See Other"}


def redirect(
    target: str, status: int, headers: dict[str, str] | None = None, *, after: str = ""
) -> Response:
    """Return a redirect as Go writes it, with what else its body holds."""
    page = f'<a href="{escape(target)}">{_NAMES[status]}</a>.\n\n{after}'
    response = Response(page, status=status, content_type=_HTML)
    response.autocorrect_location_header = False
    response.headers["Location"] = target
    response.headers["Vary"] = "Origin"
    response.headers.extend(headers or {})
    return response


def see_other(target: str, headers: dict[str, str] | None = None, *, after: str = "") -> Response:
    """Return a 303."""
    return redirect(target, 303, headers, after=after)


def found(target: str, headers: dict[str, str] | None = None) -> Response:
    """Return a 302."""
    return redirect(target, 302, headers)


def consent(provider: str, state: str, back: str) -> Response:
    """Return the page where a person agrees, cancels, or lets the provider fail."""
    page = _CONSENT.render(provider=provider, state=state, back=back)
    return Response(page, content_type=_HTML)
