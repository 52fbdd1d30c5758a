"""Who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as the identity provider knows them.

    Attributes:
        subject: The provider's UUID of the person, which becomes ours.
        email: In the stored form (``clean_email``).
        email_verified: Whether the address is known to be theirs, or the provider
            never verifies any.
        session_epoch: The person's, as it was when their password was checked. None where
            we keep no passwords.
    """

    subject: str
    email: str
    email_verified: bool
    session_epoch: int | None = None


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

    def set_password(self, person: Person, password: str) -> None:
        """Replace somebody's password, or give them their first.

        Whoever calls it answers for it that the person asked: nothing is checked here.
        A provider that keeps its people here ends their sessions in the same transaction.

        Raises:
            InvalidRequestError: The password cannot be used.
            PersonNotFoundError: Nobody has this id.
        """
