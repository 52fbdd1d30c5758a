"""How many bytes of request bodies one process holds at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from creditcore.domain.errors import OverloadedError

MAX_BODIES_BYTES = 64 * 1024 * 1024
"""Two of the largest calls. A body takes about four times its length while it is understood."""

ALWAYS_TAKEN_BYTES = 64 * 1024
"""Calls up to this size are never refused: large ones must not keep them out."""

_FULL = "This server holds as many large requests as it can. Try again in a moment."


class BodyBudget:
    """The bytes of all bodies that are being received, or have not gone upstream yet.

    Up to ``creditcore.ports.outgoing.LONG_BYTES`` they are kept until their answer begins.
    """

    def __init__(self, most: int = MAX_BODIES_BYTES) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Count the body of one call until it is released, or the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            share.release()

    def take(self, share: Share, count: int) -> None:
        """Count more bytes of one body.

        Raises:
            OverloadedError: There are too many, and this body is not a small one.
        """
        is_large = share.held + count > ALWAYS_TAKEN_BYTES
        if is_large and self._held + count > self._most:
            raise OverloadedError(_FULL)
        share.held += count
        self._held += count

    def give_back(self, count: int) -> None:
        """Count fewer bytes."""
        self._held -= count


class Share:
    """The part of a budget that one body has taken.

    Attributes:
        held: Bytes.
    """

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, count: int) -> None:
        """Count more bytes of the body, before they are kept.

        Raises:
            OverloadedError: There are too many.
        """
        self._budget.take(self, count)

    def release(self) -> None:
        """Count none of the body any more: it is kept nowhere. A repeat does nothing."""
        held, self.held = self.held, 0
        self._budget.give_back(held)
