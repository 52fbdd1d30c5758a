"""Requests that cannot be used as they are."""

from __future__ import annotations

from collections.abc import Mapping

from creditcore.domain.errors.root import CreditcoreError


class InvalidRequestError(CreditcoreError):
    """The caller sent something unusable.

    Attributes:
        param: The field at fault, where there is one.
        code: A stable machine-readable word, where there is one.
        details: Facts that a client of the protocol acts on, where it knows some.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.param = param
        self.code = code
        self.details = details
        super().__init__(message)


class NothingAskedError(InvalidRequestError):
    """The payment does not ask its payer for this now; it may have been answered just before."""

    def __init__(self) -> None:
        super().__init__("This payment does not ask for anything now.")


class LastOwnerError(InvalidRequestError):
    """The only owner of a team cannot leave it, nor become something else.

    Attributes:
        team: Its name.
    """

    def __init__(self, team: str) -> None:
        self.team = team
        super().__init__(
            f"You are the only owner of {team}. Make another member an owner first, or delete "
            "the team.",
            code="last_owner",
        )


class InvitationRefusedError(InvalidRequestError):
    """An invitation opens nothing for this person; for which of the reasons is told to no other."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or "This invitation was used, withdrawn or has expired. Ask for a new one.",
            code="invitation_refused",
        )


class CurrencyNotSoldError(InvalidRequestError):
    """This currency cannot be paid in: never here, or not while its rate is unknown."""
