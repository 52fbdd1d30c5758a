"""The key of a request, in the header where its protocol puts it."""

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


def either_secret(authorization: str | None, api_key: str | None) -> KeySecret:
    """Read the one key of a request on the Anthropic wire: ``x-api-key``, or a bearer.

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
        raise KeyRefusedError("not the same in x-api-key and Authorization")
    return secret
