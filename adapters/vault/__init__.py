"""The core's ``Vault``: AES-256-GCM, under a key derived from ``AUTH_SECRET``."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from creditcore.domain.errors import SealBrokenError

_FORMAT = b"\x01"
_NONCE_BYTES = 12


class AesVault:
    """Seals secrets so that a copy of the database alone opens none of them."""

    def __init__(self, auth_secret: str) -> None:
        """Derive the key by HKDF-SHA256: of another use of ``AUTH_SECRET`` it tells nothing."""
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"creditcore vault 1")
        self._cipher = AESGCM(derived.derive(auth_secret.encode()))

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Return the secret, encrypted and authenticated together with its context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealBrokenError: See the port; another ``AUTH_SECRET`` is another key.
        """
        body = sealed[len(_FORMAT) :]
        nonce, content = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        if not sealed.startswith(_FORMAT) or len(nonce) < _NONCE_BYTES:
            raise SealBrokenError
        try:
            return self._cipher.decrypt(nonce, content, context.encode())
        except InvalidTag as error:
            raise SealBrokenError from error
