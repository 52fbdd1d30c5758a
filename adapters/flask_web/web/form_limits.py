"""How much a form of the site may hold, checked before anything parses it.

Parsing is work without waiting: while it lasts, no other request of the process moves. Werkzeug
takes a second for a megabyte of ``a&a&...``, and its limits count for multipart only.
"""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

MAX_BYTES = 16 * 1024
"""The largest form of the site is not a tenth of this."""

MAX_FIELDS = 50

_WEBHOOK_VIEW = "payment_webhook "


def register(app: Flask) -> None:
    """Check every request of the site; call this before anything that reads forms."""
    app.before_request(_refuse_large_forms)


def _refuse_large_forms() -> None:
    """Refuse a body that no page or program of ours sends.

    Webhooks are longer, and never parsed as forms: the address decides, not the type that the
    sender claims.
    """
    if (request.endpoint or "").startswith(_WEBHOOK_VIEW):
        return
    if request.mimetype == "multipart/form-data":
        message = "Files cannot be uploaded here. Send application/x-www-form-urlencoded."
        raise UnsupportedMediaType(message)
    if (request.content_length or 0) > MAX_BYTES:
        raise RequestEntityTooLarge
    body = request.get_data(parse_form_data=False)
    if len(body) > MAX_BYTES or body.count(b"&") >= MAX_FIELDS:
        raise RequestEntityTooLarge
