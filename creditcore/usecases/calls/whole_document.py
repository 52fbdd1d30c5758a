"""The answer of a call that is not streamed."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.money import Credits


@dataclass(frozen=True, slots=True)
class Document:
    """A whole answer.

    Attributes:
        body: What the client gets.
        cost: What it was charged.
        available: What the wallet can spend after that.
        media_type: What the body is.
    """

    body: bytes
    cost: Credits
    available: Credits
    media_type: str
