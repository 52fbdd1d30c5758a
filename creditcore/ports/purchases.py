"""Purchases of credits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.purchases import Purchase
from creditcore.domain.sale_terms import Bought


class Purchases(Protocol):
    """Every intent to buy, from the offer to its end."""

    def add(self, purchase: Purchase) -> None:
        """Add a purchase.

        Raises:
            ReferenceConflictError: Its reference is taken.
        """

    def find(self, reference: str) -> Purchase:
        """Return a purchase without locking it.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """

    def lock(self, reference: str) -> Purchase:
        """Return a purchase, locked until the transaction ends.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """

    def save(self, purchase: Purchase) -> None:
        """Write a changed purchase that ``lock`` returned."""

    def list_of(
        self, owner_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Purchase]:
        """Return the owner's latest purchases, newest first.

        Args:
            owner_id: Whose.
            limit: How many at most.
            before: Only those begun before this instant and reference.
        """

    def with_number(self, text: str, *, owner_id: str, limit: int) -> Sequence[Purchase]:
        """Return the owner's purchases that others call so, newest first.

        By the provider's number, or by the mobile network's code in either case; whole.
        """

    def bought(self, owner_id: str, *, since: datetime, now: datetime) -> Bought:
        """Return what a person bought, or may still pay, of what was begun since then.

        Failed and reversed purchases, and pending ones whose offer is over, have no value;
        they count as checkouts all the same.
        """

    def among(self, references: Collection[str]) -> Mapping[str, Purchase]:
        """Return which of these references are purchases of ours, without locking them."""

    def paid_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> Sequence[Purchase]:
        """Return purchases that began in a period and were credited, by their references.

        Args:
            since: The beginning of the period.
            until: Its end, which does not belong to it.
            after: Only references after this one: the last of the page before.
            limit: How many.
        """

    def mask_phones(self, *, created_before: datetime, limit: int) -> int:
        """Keep only the last three digits of phones that paid; return how many were masked."""

    def pending(self, *, created_before: datetime, limit: int) -> Sequence[Purchase]:
        """Return purchases that still wait for their payment, newest first."""
