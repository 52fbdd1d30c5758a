"""Credits, money and references that do not fit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from creditcore.domain.errors.root import CreditcoreError

if TYPE_CHECKING:
    from creditcore.domain.money import Credits, Money


class CurrencyMismatchError(CreditcoreError):
    """Two currencies met in one sum or comparison."""

    def __init__(self, left: str, right: str) -> None:
        self.left = left
        self.right = right
        super().__init__(f"{left} and {right} cannot be combined.")


class InsufficientCreditsError(CreditcoreError):
    """The wallet cannot cover the most this call may cost.

    Attributes:
        needed: The ceiling that was asked for.
        available: What the wallet could have given.
        affordable_output_tokens: The largest output limit ``available`` covers,
            or None where the request has no such limit to lower.
        limit: What ran out: ``wallet``, or a spend limit: of the ``key``, its
            ``account``, or the ``member`` of a team.
        resets_at: When a spend limit begins anew; None where it never does.
        wallet_id: Whose credits they are, for ourselves; None where no call was refused.
    """

    def __init__(
        self,
        *,
        needed: Credits,
        available: Credits,
        affordable_output_tokens: int | None = None,
        limit: str = "wallet",
        resets_at: datetime | None = None,
        wallet_id: str | None = None,
    ) -> None:
        self.needed = needed
        self.available = available
        self.affordable_output_tokens = affordable_output_tokens
        self.limit = limit
        self.resets_at = resets_at
        self.wallet_id = wallet_id
        super().__init__(f"This may cost up to {needed} credits, {available} are available.")


class ReferenceConflictError(CreditcoreError):
    """A reference was used again for something else."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(f"Reference {reference!r} already stands for a different request.")


class PurchaseLimitError(CreditcoreError):
    """One person may not buy that much in this time.

    Attributes:
        limit: The most USD value that may be bought.
        days: Within how many days.
    """

    def __init__(self, *, limit: Money, days: int) -> None:
        self.limit = limit
        self.days = days
        span = "24 hours" if days == 1 else f"{days} days"
        super().__init__(
            f"This is more than one account may buy within {span} ({limit}). Nothing was charged. "
            "Wait, or write to support to have it raised."
        )
