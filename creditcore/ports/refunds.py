"""Refunds and disputes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.refunds import Refund


class Refunds(Protocol):
    """Money that goes back, by payment. The caller who writes here has its purchase locked."""

    def of(self, purchase_reference: str) -> Sequence[Refund]:
        """Return the refunds and disputes of a payment, oldest first."""

    def save(self, refund: Refund) -> None:
        """Add a refund, or write one that is there.

        Raises:
            ReferenceConflictError: The provider's number belongs to another refund.
        """

    def under_way(self, *, updated_before: datetime, limit: int) -> Sequence[Refund]:
        """Return refunds and disputes that have not ended, the longest untouched first."""
