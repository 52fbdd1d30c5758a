"""Purchases in ``transactions``, as the system before this one called payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pony.orm import desc

from adapters.pony_store.mapping import micros, purchase_columns, purchase_from_row
from adapters.pony_store.session import Session
from creditcore.domain.errors import PurchaseNotFoundError, ReferenceConflictError
from creditcore.domain.purchases import Purchase


class PonyPurchases:
    """Every intent to buy, from the offer to its end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entity = session.db.Purchase

    def add(self, purchase: Purchase) -> None:
        """Add a purchase.

        Raises:
            ReferenceConflictError: Its reference is taken.
        """
        with self._session.translated(taken=ReferenceConflictError(purchase.reference)):
            self._entity(**purchase_columns(purchase)).flush()

    def find(self, reference: str) -> Purchase:
        """Return a purchase without locking it.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """
        if not reference or "\0" in reference:
            # No database keeps such a name, so none has to be asked.
            raise PurchaseNotFoundError(reference)
        with self._session.translated():
            row = self._entity.get(paystack_ref=reference)
        if row is None:
            raise PurchaseNotFoundError(reference)
        return purchase_from_row(row)

    def lock(self, reference: str) -> Purchase:
        """Return a purchase, locked until the transaction ends.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
            StoreBusyError: It was found before in this transaction, and changed since.
        """
        with self._session.translated():
            row = self._entity.get_for_update(paystack_ref=reference)
        if row is None:
            raise PurchaseNotFoundError(reference)
        return purchase_from_row(row)

    def save(self, purchase: Purchase) -> None:
        """Write a changed purchase that ``lock`` returned.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """
        changes = purchase_columns(purchase)
        with self._session.translated():
            row = self._entity.get_for_update(paystack_ref=changes.pop("paystack_ref"))
            if row is not None:
                row.set(**changes)
                row.flush()
        if row is None:
            raise PurchaseNotFoundError(purchase.reference)

    def list_of(self, owner_id: str, *, limit: int) -> Sequence[Purchase]:
        """Return the owner's latest purchases, newest first."""
        with self._session.translated():
            query = self._entity.select().filter(owner_id=owner_id)
            rows = list(query.order_by(*self._newest).limit(limit))
        return [purchase_from_row(row) for row in rows]

    def pending(self, *, created_before: datetime, limit: int) -> Sequence[Purchase]:
        """Return purchases that still wait for their payment, newest first."""
        before = micros(created_before)
        with self._session.translated():
            # The state stands in the text, so that the partial index of pending ones serves.
            query = self._entity.select(lambda p: p.state == "pending" and p.created_at <= before)
            rows = list(query.order_by(*self._newest).limit(limit))
        return [purchase_from_row(row) for row in rows]

    @property
    def _newest(self) -> tuple[object, ...]:
        return desc(self._entity.created_at), desc(self._entity.paystack_ref)
