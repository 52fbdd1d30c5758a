"""Encryption of what must be kept but never read in a stolen database: tokens and verifiers."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAX_SEALED_BYTES = 16_384
"""The longest text that is kept. A usual access token has 900 bytes; metadata that a user can
write may make it 270,000 bytes long, and such a session is not kept."""

_FORMAT = b"\x01"
_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """This was not sealed with this secret for this purpose, or was changed."""


class SealTooLongError(Exception):
    """The text is longer than anything that is worth keeping."""


class Vault:
    """Seals text with AES-256-GCM, under a key derived from ``AUTH_SECRET`` by HKDF-SHA256.

    Each sealed text is bound to a place (a session's id, for example): copied into another row,
    it does not open.
    """

    def __init__(self, auth_secret: str, *, purpose: str) -> None:
        """Derive the key; another purpose gives another."""
        info = f"creditcore supabase_auth {purpose}".encode()
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(auth_secret.encode())
        self._cipher = AESGCM(key)

    def seal(self, text: str, *, place: str) -> bytes:
        """Return the text encrypted for one place.

        Raises:
            SealTooLongError: It is longer than ``MAX_SEALED_BYTES``.
        """
        content = text.encode()
        if len(content) > MAX_SEALED_BYTES:
            raise SealTooLongError
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, *, place: str) -> str:
        """Return the text that was sealed for this place.

        Raises:
            SealBrokenError: It was not, or ``AUTH_SECRET`` is another one now.
        """
        body = sealed[len(_FORMAT) :]
        nonce, content = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        if not sealed.startswith(_FORMAT) or len(nonce) < _NONCE_BYTES:
            raise SealBrokenError
        try:
            return self._cipher.decrypt(nonce, content, place.encode()).decode()
        except InvalidTag as error:
            raise SealBrokenError from error
