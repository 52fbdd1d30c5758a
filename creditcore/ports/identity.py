"""Who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as the identity provider knows them.

    Attributes:
        subject: The provider's UUID of the person, which becomes ours.
        email: In the stored form (``clean_email``).
        email_verified: Whether the address is known to be theirs, or the provider
            never verifies any.
    """

    subject: str
    email: str
    email_verified: bool


class IdentityProvider(Protocol):
    """Recognises people by e-mail and password."""

    def sign_up(self, email: str, password: str) -> Identity:
        """Make an account.

        Raises:
            EmailTakenError: The address has one. Callers must not let a visitor see the difference.
            InvalidRequestError: The address or the password cannot be used.
        """

    def sign_in(self, email: str, password: str) -> Identity:
        """Return whose account this is.

        Takes the same time whether or not the address is known.

        Raises:
            BadCredentialsError: Address and password do not match.
        """
