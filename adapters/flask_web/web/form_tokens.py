"""The token of a session's forms looks different in every page that carries it.

Pages are compressed (see ``packed_pages``). Who can make a browser ask for a page with words of
their own in it, and sees how long the answers are, could guess a text that stays the same in it
(BREACH, https://breachattack.com). So a token is written as a pad of random bytes and the token
under that pad, as Django does
(https://docs.djangoproject.com/en/5.2/ref/csrf/#how-it-works): both are new in each answer.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import Flask, g
from flask_wtf.csrf import CSRFProtect, generate_csrf

_OF_SIGNED_TOKENS = "."
"""Stands in each token of Flask-WTF, and in no masked one."""


class FormTokens(CSRFProtect):  # type: ignore[misc]
    """Gives out masked tokens, and takes them back; the tokens inside are Flask-WTF's own.

    A token without a mask, of a page that was open while the site was renewed, counts too.
    """

    def init_app(self, app: Flask) -> None:
        """Check the forms of an application, and let its templates write tokens."""
        super().init_app(app)
        # Macros see the globals, pages what a context processor adds.
        app.jinja_env.globals["csrf_token"] = token_of_page
        app.context_processor(lambda: {"csrf_token": token_of_page})

    def _get_csrf_token(self) -> str | None:
        sent = super()._get_csrf_token()
        return unmasked(sent) if sent else None


def token_of_page() -> str:
    """Return the token for all forms of the page that is being written: one mask for them."""
    token = generate_csrf()
    kept: tuple[str, str] | None = g.get("masked_token")
    if kept is None or kept[0] != token:
        # Another account was chosen: the session has a new token.
        kept = g.masked_token = (token, masked(token))
    return kept[1]


def masked(token: str) -> str:
    """Return a token under a new pad of its own length, as URL-safe Base64."""
    plain = token.encode()
    pad = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(pad + _crossed(pad, plain)).decode()


def unmasked(sent: str) -> str:
    """Return the token that was masked; as it came, what never was. Whether it counts is not said.

    The signature in it and the session decide that, compared in constant time.
    """
    if _OF_SIGNED_TOKENS in sent:
        return sent
    try:
        read = urlsafe_b64decode(sent)
        half = len(read) // 2
        return _crossed(read[:half], read[half:]).decode()
    except (binascii.Error, ValueError):
        return sent


def _crossed(pad: bytes, text: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(pad, text, strict=True))
