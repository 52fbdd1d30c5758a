"""A call that was refused before it began: nothing was set aside for it, and nothing charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.usage_hours import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCall:
    """One refused call, as its caller was told.

    Attributes:
        reference: The id in the answer's ``x-request-id``.
        model: Empty where the request was refused before it was understood.
        status: The HTTP status that the caller saw.
        code: The machine-readable word of the answer.
        message: The sentence of the answer: why, and what to do.
    """

    reference: str
    wallet_id: str
    key_id: str
    model: str
    endpoint: str
    status: int
    code: str
    message: str
    at: datetime


def tally_of_refused(status: int, calls: int) -> Tally:
    """Return what calls count for that were refused with one status."""
    match status:
        case 402:
            return Tally(refused_402=calls)
        case 429:
            return Tally(refused_429=calls)
        case _:
            return Tally(refused_other=calls)
