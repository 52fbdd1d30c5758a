"""Signing in, and what proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creditcore.domain.errors.root import CreditcoreError

if TYPE_CHECKING:
    from creditcore.domain.identities import OAuthFailure


class IdentityError(CreditcoreError):
    """A person could not be recognised or made."""


class AccountNotJoinedError(IdentityError):
    """The address of who signed in has an account here, which is not joined to theirs yet."""

    def __init__(self) -> None:
        super().__init__(
            "Your address has an account here that is not connected to this sign-in yet. "
            "Support has been told, and can connect the two."
        )


class EmailTakenError(IdentityError):
    """Another account has this e-mail address."""

    def __init__(self) -> None:
        super().__init__("This e-mail address has an account.")


class BadCredentialsError(IdentityError):
    """E-mail and password do not match; which of the two is never said."""

    def __init__(self) -> None:
        super().__init__("E-mail or password is wrong.")


class LinkRefusedError(IdentityError):
    """A link of a mail opens nothing: unknown, used, replaced, too old; which is never said."""

    def __init__(self) -> None:
        super().__init__("This link is invalid or has expired. Ask for a new one.")


class CodeRefusedError(IdentityError):
    """The code is wrong, or was used."""

    def __init__(self) -> None:
        super().__init__("This code is wrong, has expired or was used before.")


class CodeSentError(IdentityError):
    """A code was mailed to the person's address; the same call works with it."""

    def __init__(self) -> None:
        super().__init__("A code was mailed to you. Enter it to go on.")


class SessionEndedError(IdentityError):
    """The session counts no more: its owner signs in again."""

    def __init__(self) -> None:
        super().__init__("Your session has ended. Please sign in again.")


class TooManyAttemptsError(IdentityError):
    """There were too many attempts.

    Attributes:
        retry_after_s: How long to wait, where it is known.
    """

    def __init__(self, retry_after_s: int | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("There were too many attempts. Wait a little and try again.")


class SignUpClosedError(IdentityError):
    """No new person is let in."""

    def __init__(self) -> None:
        super().__init__("New accounts cannot be made here at the moment.")


class OAuthFailedError(IdentityError):
    """A visitor did not come back from Google or GitHub signed in.

    Attributes:
        reason: Why; the provider's own words are never shown.
    """

    def __init__(self, reason: OAuthFailure) -> None:
        self.reason = reason
        super().__init__(f"Signing in there did not work: {reason.value.replace('_', ' ')}.")


class NotOfferedError(IdentityError):
    """Who recognises people here cannot do this."""

    def __init__(self) -> None:
        super().__init__("This is not offered here.")


class IdentityUnavailableError(IdentityError):
    """No usable answer from who recognises people: what happened is unknown. Try again later."""

    def __init__(self) -> None:
        super().__init__("Signing in is not possible right now. Nothing is lost; try again soon.")


class SealBrokenError(CreditcoreError):
    """What was sealed cannot be opened: another key, another place, or it was changed."""

    def __init__(self) -> None:
        super().__init__("A sealed secret cannot be opened.")
