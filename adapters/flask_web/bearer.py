"""The key in an Authorization header."""

from __future__ import annotations

from creditcore.domain.errors import KeyRefusedError
from creditcore.domain.keys import KeySecret

_SCHEME = "bearer"


def bearer_secret(header: str | None) -> KeySecret:
    """Read the one key of a request, without asking the database.

    Raises:
        KeyRefusedError: There is none, or it cannot be one. Two headers arrive joined
            by a comma, which no key contains.
    """
    if not header:
        raise KeyRefusedError("missing")
    scheme, _, text = header.partition(" ")
    if scheme.lower() != _SCHEME:
        raise KeyRefusedError("malformed")
    return KeySecret.parse(text.strip())
