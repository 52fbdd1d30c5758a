"""Payments to decide about, in ``payment_reviews``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditcore.domain.errors import ReviewNotFoundError
from creditcore.domain.money import Money
from creditcore.domain.reviews import Review, ReviewKind, ReviewState

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, marks

_COLUMNS = (
    "reference",
    "kind",
    "minor_units",
    "currency",
    "provider_id",
    "reason",
    "state",
    "resolution",
    "opened_at",
    "closed_at",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM payment_reviews"


class PonyReviews:
    """Payments that wait for a decision, and those that were decided."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, review: Review) -> None:
        self._session.change(
            f"INSERT INTO payment_reviews ({', '.join(_COLUMNS)})"
            f" VALUES ({marks(len(_COLUMNS))}) ON CONFLICT DO NOTHING",
            _values(review),
        )

    def find(self, reference: str) -> Review | None:
        return self._find(reference, "")

    def lock(self, reference: str) -> Review:
        review = self._find(reference, self._session.engine.row_lock)
        if review is None:
            raise ReviewNotFoundError(reference)
        return review

    def save(self, review: Review) -> None:
        self._session.change(
            "UPDATE payment_reviews SET state = ?, resolution = ?, closed_at = ?"
            " WHERE reference = ?",
            (
                review.state.value,
                review.resolution,
                micros_or_none(review.closed_at),
                review.reference,
            ),
        )

    def waiting(self, *, limit: int) -> Sequence[Review]:
        rows = self._session.rows(
            f"{_SELECT} WHERE closed_at IS NULL ORDER BY opened_at, reference LIMIT ?", (limit,)
        )
        return [_from_row(row) for row in rows]

    def _find(self, reference: str, row_lock: str) -> Review | None:
        if "\0" in reference:
            # No database keeps such a name.
            return None
        rows = self._session.rows(f"{_SELECT} WHERE reference = ?{row_lock}", (reference,))
        return _from_row(rows[0]) if rows else None


def _values(review: Review) -> tuple[object, ...]:
    return (
        review.reference,
        review.kind.value,
        review.amount.minor_units,
        review.amount.currency,
        review.provider_id,
        review.reason,
        review.state.value,
        review.resolution,
        micros(review.opened_at),
        micros_or_none(review.closed_at),
    )


def _from_row(row: Any) -> Review:
    return Review(
        reference=row.reference,
        kind=ReviewKind(row.kind),
        amount=Money(row.minor_units, row.currency),
        provider_id=row.provider_id,
        reason=row.reason,
        state=ReviewState(row.state),
        resolution=row.resolution,
        opened_at=instant(row.opened_at),
        closed_at=instant_or_none(row.closed_at),
    )
