"""Payments to decide about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.reviews import Review


class Reviews(Protocol):
    """Payments that wait for a decision, and those that were decided."""

    def open(self, review: Review) -> None:
        """Add a review; one of the same reference that is there is left as it is."""

    def find(self, reference: str) -> Review | None:
        """Return the review of a payment without locking it."""

    def lock(self, reference: str) -> Review:
        """Return the review of a payment, locked until the transaction ends.

        Raises:
            ReviewNotFoundError: The payment has none.
        """

    def save(self, review: Review) -> None:
        """Write the decision on a review that ``lock`` returned."""

    def waiting(self, *, limit: int) -> Sequence[Review]:
        """Return what is not decided, oldest first."""
