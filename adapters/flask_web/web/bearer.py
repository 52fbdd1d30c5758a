"""The key of a request, in the header where its protocol puts it."""

from __future__ import annotations

from creditcore.domain.errors import KeyRefusedError
from creditcore.domain.keys import KeySecret

_SCHEME = "bearer"


def bearer_secret(header: str | None) -> KeySecret:
    """Read the one key of a request, without asking the database.

    It may stand alone, too: some clients have one field for the whole header.

    Raises:
        KeyRefusedError: There is none, or it cannot be one. Two headers arrive joined
            by a comma, which no key contains.
    """
    if not header:
        raise KeyRefusedError("missing")
    scheme, _, text = header.strip().partition(" ")
    if text and scheme.lower() != _SCHEME:
        raise KeyRefusedError("malformed")
    return KeySecret.parse(text.strip() or scheme)


def either_secret(authorization: str | None, api_key: str | None) -> KeySecret:
    """Read the one key of a request: a bearer, or in the header that its protocol has for it.

    Clients send a key of another service in one of the two where it stands in their
    environment. It is no key of ours, so the other one counts.

    Raises:
        KeyRefusedError: There is none, none can be one, or there are two of ours that differ.
    """
    if not api_key:
        return bearer_secret(authorization)
    if not authorization:
        return KeySecret.parse(api_key.strip())
    try:
        bearer = bearer_secret(authorization)
    except KeyRefusedError:
        return KeySecret.parse(api_key.strip())
    try:
        secret = KeySecret.parse(api_key.strip())
    except KeyRefusedError:
        return bearer
    if bearer != secret:
        raise KeyRefusedError("not the same in two headers")
    return secret
