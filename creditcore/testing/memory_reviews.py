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
        self.table.setdefault(review.reference, review)

    def find(self, reference: str) -> Review | None:
        return self.table.get(reference)

    def lock(self, reference: str) -> Review:
        if reference not in self.table:
            raise ReviewNotFoundError(reference)
        return self.table[reference]

    def save(self, review: Review) -> None:
        self.table[review.reference] = review

    def waiting(self, *, limit: int) -> Sequence[Review]:
        found = [review for review in self.table.values() if not review.is_closed]
        return sorted(found, key=lambda review: (review.opened_at, review.reference))[:limit]
