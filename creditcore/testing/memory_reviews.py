"""Payments to decide about, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creditcore.domain.errors import ReviewNotFoundError
from creditcore.domain.reviews import Review


@dataclass
class MemoryReviews:
    """Payments that wait for a decision, and those that were decided."""

    table: dict[str, Review]

    def open(self, review: Review) -> None:
        """Add a review once."""
        self.table.setdefault(review.reference, review)

    def find(self, reference: str) -> Review | None:
        """Return the review of a payment."""
        return self.table.get(reference)

    def lock(self, reference: str) -> Review:
        """Return the review of a payment."""
        if reference not in self.table:
            raise ReviewNotFoundError(reference)
        return self.table[reference]

    def save(self, review: Review) -> None:
        """Write a decision."""
        self.table[review.reference] = review

    def waiting(self, *, limit: int) -> Sequence[Review]:
        """Return what is not decided."""
        found = [review for review in self.table.values() if not review.is_closed]
        return sorted(found, key=lambda review: (review.opened_at, review.reference))[:limit]
