"""How many bytes of request bodies one process holds at a time."""

from __future__ import annotations

from typing import Self

from creditcore.domain.errors import OverloadedError

MAX_BODIES_BYTES = 64 * 1024 * 1024
"""Two of the largest calls. A body takes about four times its length while it is understood."""

ALWAYS_TAKEN_BYTES = 64 * 1024
"""Calls up to this size are never refused: large ones must not keep them out."""

OWNERS = 2
"""An owner gets one of so many parts of a budget: the largest call still fits into that."""

_FULL = "This server holds as many large requests as it can. Try again in a moment."
_YOURS = (
    "This server holds as many large requests of yours as it can. "
    "Let one of them be answered first, or try again in a moment."
)


class BodyBudget:
    """The bytes of all bodies that are being received, or have not gone upstream yet.

    Up to ``creditcore.ports.outgoing.LONG_BYTES`` they are kept until their answer begins. One
    owner has a part of them at most, so that one who sends slowly, or much, keeps no other out:
    small bodies are always taken, and leave others theirs too.
    """

    def __init__(self, most: int = MAX_BODIES_BYTES) -> None:
        self._most = most
        self._most_of_one = most // OWNERS
        # Of each owner no more than is theirs.
        self._counted = 0
        self._of_owners: dict[str | None, int] = {}

    def share(self, owner: str | None) -> Share:
        """Return what counts the body of one call until it is released, or its block ends.

        Args:
            owner: Whose it is: an account, or an address as long as the account is not known. None
                where all come from one place, which has no part but all of it.
        """
        return Share(self, owner)

    def take(self, share: Share, count: int) -> None:
        """Count more bytes of one body.

        Raises:
            OverloadedError: There are too many, and this body is not a small one.
        """
        if share.held + count > ALWAYS_TAKEN_BYTES:
            if self._of_owners.get(share.owner, 0) + count > self._part_of(share.owner):
                raise OverloadedError(_YOURS)
            if self._counted + count > self._most:
                raise OverloadedError(_FULL)
        share.held += count
        self._change(share.owner, count)

    def give_back(self, share: Share) -> None:
        """Count none of one body any more."""
        if share.held:
            self._change(share.owner, -share.held)
            share.held = 0

    def _change(self, owner: str | None, by: int) -> None:
        before = self._of_owners.get(owner, 0)
        after = before + by
        if after:
            self._of_owners[owner] = after
        else:
            self._of_owners.pop(owner, None)
        part = self._part_of(owner)
        if before > part or after > part:
            by = min(after, part) - min(before, part)
        self._counted += by

    def _part_of(self, owner: str | None) -> int:
        return self._most if owner is None else self._most_of_one


class Share:
    """The part of a budget that one body has taken.

    Attributes:
        owner: Whose it is.
        held: Bytes.
    """

    __slots__ = ("_budget", "held", "owner")

    def __init__(self, budget: BodyBudget, owner: str | None) -> None:
        self._budget = budget
        self.owner = owner
        self.held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def assign(self, owner: str) -> None:
        """Say whose the body is, before any of it is counted."""
        self.owner = owner

    def take(self, count: int) -> None:
        """Count more bytes of the body, before they are kept.

        Raises:
            OverloadedError: There are too many.
        """
        self._budget.take(self, count)

    def release(self) -> None:
        """Count none of the body any more: it is kept nowhere. A repeat does nothing."""
        self._budget.give_back(self)
