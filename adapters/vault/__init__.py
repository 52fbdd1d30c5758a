"""The core's ``Vault``: AES-256-GCM, under a key derived from ``AUTH_SECRET``."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from creditcore.domain.errors import SealBrokenError

_FORMAT = b"\x01"
_NONCE_BYTES = 12


class AesVault:
    """Seals secrets so that a copy of the database alone opens none of them."""

    def __init__(self, auth_secret: str, *, previous_secrets: Sequence[str] = ()) -> None:
        """Derive the keys by HKDF-SHA256: of another use of ``AUTH_SECRET`` they tell nothing.

        Args:
            auth_secret: What everything is sealed with from now on.
            previous_secrets: What opens seals of before, during a rotation.
        """
        self._cipher, *self._previous = map(_cipher, (auth_secret, *previous_secrets))

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Return the secret, encrypted and authenticated together with its context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealBrokenError: See the port; another ``AUTH_SECRET`` is another key.
        """
        return _opened((self._cipher, *self._previous), sealed, context)

    def reseal(self, sealed: bytes, *, context: str) -> bytes | None:
        """Return the same secret under the key of ``AUTH_SECRET``; None where it is already.

        Raises:
            SealBrokenError: See the port.
        """
        with suppress(SealBrokenError):
            _opened((self._cipher,), sealed, context)
            return None
        return self.seal(_opened(self._previous, sealed, context), context=context)


def _opened(ciphers: Sequence[AESGCM], sealed: bytes, context: str) -> bytes:
    body = sealed[len(_FORMAT) :]
    nonce, content = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
    if not sealed.startswith(_FORMAT) or len(nonce) < _NONCE_BYTES:
        raise SealBrokenError
    for cipher in ciphers:
        with suppress(InvalidTag):
            return cipher.decrypt(nonce, content, context.encode())
    raise SealBrokenError


def _cipher(auth_secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"creditcore vault 1")
    return AESGCM(derived.derive(auth_secret.encode()))
