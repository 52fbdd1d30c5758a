"""What is looked at before it is sent."""

from __future__ import annotations

import re

from creditcore.domain.errors import InvalidRequestError, LinkRefusedError

MIN_PASSWORD_LENGTH = 10
"""In characters, as for accounts of our own. The server counts bytes, and is content with six."""

MAX_PASSWORD_BYTES = 72
"""What bcrypt looks at; the server refuses more."""

MAX_TRIED_LENGTH = 200
"""In characters: as long as a password of our own accounts."""

_TOKEN = re.compile(r"(?:pkce_)?[0-9A-Za-z]{16,128}")
_CODE = re.compile(r"[0-9]{6,10}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_password(password: str, *, email: str = "") -> str:
    """Return a password that may become a person's.

    Raises:
        InvalidRequestError: It cannot be one.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise _refused(f"A password has at least {MIN_PASSWORD_LENGTH} characters.")
    if not is_text(password):
        raise _refused("This password has a character that cannot be typed.")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise _refused(f"A password has at most {MAX_PASSWORD_BYTES} letters or digits.")
    if password.strip().lower() == email:
        raise _refused("A password cannot be the e-mail address.")
    return password


def is_text(text: str) -> bool:
    """Whether this can be sent as JSON, and stored: no NUL, no half of a surrogate pair."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def is_possible_password(password: str) -> bool:
    """Whether any account can have this password: one that was taken over may be longer."""
    return is_text(password) and len(password) <= MAX_TRIED_LENGTH


def link_token(token: str) -> str:
    """Return what a link carries, if it can be that.

    Raises:
        LinkRefusedError: It cannot.
    """
    if not _TOKEN.fullmatch(token):
        raise LinkRefusedError
    return token


def is_code(code: str) -> bool:
    """Whether this can be a code of an app, or one that was mailed; it may begin with 0."""
    return bool(_CODE.fullmatch(code))


def is_uuid(text: str) -> bool:
    """Whether this is a UUID as the server writes them."""
    return bool(_UUID.fullmatch(text))


def _refused(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, param="password")
