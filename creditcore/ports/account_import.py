"""Where accounts that we keep ourselves can be moved to."""

from __future__ import annotations

from typing import Protocol

from creditcore.domain.identities import Identity


class AccountImport(Protocol):
    """An identity provider that takes accounts over.

    Every method may also raise:
        IdentityUnavailableError: No usable answer; what happened is unknown. Asking for ``find``
            tells.
    """

    def find(self, email: str) -> Identity | None:
        """Return who has this address there."""

    def take_over(self, subject: str, email: str, *, password_hash: str) -> Identity:
        """Make a confirmed account with our id, and with the password that its owner knows.

        Args:
            subject: The person's id here, which becomes theirs there.
            email: Their confirmed address.
            password_hash: Argon2id in its usual text form; empty where there is none.

        Raises:
            EmailTakenError: The address has an account there.
        """
