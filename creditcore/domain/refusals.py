"""A call that was refused before it began: nothing was set aside for it, and nothing charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OUT_OF_CREDITS = 402
TOO_MANY = 429


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
