"""Proof Key for Code Exchange (RFC 7636): the secret that ties an OAuth return to its start."""

from __future__ import annotations

import base64
import hashlib
import secrets

_VERIFIER_BYTES = 48


def new_verifier() -> str:
    """Return a fresh verifier: 64 characters of base64url, of the 43 to 128 that are allowed."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_VERIFIER_BYTES)).decode()


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier, without padding."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
