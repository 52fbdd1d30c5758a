"""The answer of a call that is not streamed."""

from __future__ import annotations

from typing import NamedTuple

from creditcore.domain.money import Credits


class Document(NamedTuple):
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
