"""What a call is to be charged, before the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.holds import Outcome
from creditcore.domain.makers import maker_of
from creditcore.domain.money import Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a hold is to be closed.

    Attributes:
        reference: Of the hold.
        wallet_id: Whose hold it is.
        cost: What the call cost, or what of it is known.
        outcome: What came of it.
        most: Where the hold could grow: how far it may still grow to cover the cost.
    """

    reference: str
    wallet_id: str
    cost: Credits
    outcome: Outcome
    most: Credits | None = None


make_settlement = maker_of(Settlement)
