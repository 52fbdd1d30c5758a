"""Secrets that have to be read again, unreadable where they are stored."""

from __future__ import annotations

from typing import Protocol


class Vault(Protocol):
    """Seals and opens small secrets: tokens of a session, the secret of an authenticator app."""

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Return the secret, encrypted and authenticated; never the same bytes twice.

        Args:
            secret: What is to be kept.
            context: What it belongs to, such as ``totp:<person>``: opened in another context
                it is refused, so that rows cannot be swapped.
        """

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealBrokenError: It was sealed with another key or for another context, or changed.
        """

    def reseal(self, sealed: bytes, *, context: str) -> bytes | None:
        """Return the same secret under the newest key; None where it is under that already.

        Raises:
            SealBrokenError: As ``open``.
        """
