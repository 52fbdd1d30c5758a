"""Purchases, refunds and webhooks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from creditcore.domain.errors import PurchaseNotFoundError, ReferenceConflictError
from creditcore.domain.money import Money
from creditcore.domain.purchases import MASK, Purchase, PurchaseState, receipt_code_of
from creditcore.domain.refunds import Refund
from creditcore.domain.sale_terms import Bought
from creditcore.ports.payment_events import PaymentEvent
from creditcore.testing.memory_tables import MemoryTables, chosen, latest


@dataclass
class MemoryPurchases:
    """Purchases."""

    tables: MemoryTables

    def add(self, purchase: Purchase) -> None:
        if purchase.reference in self.tables.purchases:
            raise ReferenceConflictError(purchase.reference)
        self.tables.purchases[purchase.reference] = purchase

    def find(self, reference: str) -> Purchase:
        if reference not in self.tables.purchases:
            raise PurchaseNotFoundError(reference)
        return self.tables.purchases[reference]

    def lock(self, reference: str) -> Purchase:
        return self.find(reference)

    def save(self, purchase: Purchase) -> None:
        self.tables.purchases[purchase.reference] = purchase

    def list_of(
        self, owner_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Purchase]:
        found = [row for row in self.tables.purchases.values() if row.owner_id == owner_id]
        return latest(found, lambda row: (row.created_at, row.reference), limit, before)

    def with_number(self, text: str, *, owner_id: str, limit: int) -> Sequence[Purchase]:
        found = [
            row
            for row in self.tables.purchases.values()
            if row.owner_id == owner_id and is_numbered(row, text)
        ]
        return latest(found, lambda row: (row.created_at, row.reference), limit, None)

    def mask_phones(self, *, created_before: datetime, limit: int) -> int:
        found = [
            row
            for row in self.tables.purchases.values()
            if row.payer and MASK not in row.payer.phone and row.created_at < created_before
        ][:limit]
        for row in found:
            masked = row.payer.masked if row.payer else None
            self.tables.purchases[row.reference] = replace(row, payer=masked)
        return len(found)

    def bought(self, owner_id: str, *, since: datetime, now: datetime) -> Bought:
        begun = [
            row
            for row in self.tables.purchases.values()
            if row.owner_id == owner_id and row.created_at >= since
        ]
        cents = sum(row.offer.value.minor_units for row in begun if _has_value(row, now))
        return Bought(len(begun), Money(cents, "USD"))

    def among(self, references: Collection[str]) -> Mapping[str, Purchase]:
        return chosen(self.tables.purchases, references)

    def paid_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> Sequence[Purchase]:
        found = [
            row
            for row in self.tables.purchases.values()
            if row.state in (PurchaseState.PAID, PurchaseState.REVERSED)
            and since <= row.created_at < until
            and row.reference > after
        ]
        return sorted(found, key=lambda row: row.reference)[:limit]

    def pending(self, *, created_before: datetime, limit: int) -> Sequence[Purchase]:
        found = [
            row
            for row in self.tables.purchases.values()
            if row.state is PurchaseState.PENDING and row.created_at <= created_before
        ]
        return sorted(found, key=lambda row: row.created_at, reverse=True)[:limit]


def is_numbered(purchase: Purchase, text: str) -> bool:
    """Whether the provider's number or the mobile network's code is this text."""
    return bool(text) and (
        purchase.provider_id == text
        or bool(purchase.receipt_code and purchase.receipt_code == receipt_code_of(text))
    )


def _has_value(purchase: Purchase, now: datetime) -> bool:
    if purchase.state is PurchaseState.PENDING:
        return purchase.expires_at > now
    return purchase.state in (PurchaseState.PAID, PurchaseState.UNDER_REVIEW)


@dataclass
class MemoryRefunds:
    """Refunds and disputes."""

    tables: MemoryTables

    def of(self, purchase_reference: str) -> Sequence[Refund]:
        return self._oldest(lambda row: row.purchase == purchase_reference)

    def save(self, refund: Refund) -> None:
        for other in self.tables.refunds.values():
            same = (other.kind, other.provider_id) == (refund.kind, refund.provider_id)
            if refund.provider_id and same and other.id != refund.id:
                raise ReferenceConflictError(refund.provider_id)
        self.tables.refunds[refund.id] = refund

    def under_way(self, *, updated_before: datetime, limit: int) -> Sequence[Refund]:
        found = self._oldest(lambda row: row.is_under_way and row.updated_at <= updated_before)
        return sorted(found, key=lambda row: (row.updated_at, row.id))[:limit]

    def _oldest(self, wanted: Callable[[Refund], bool]) -> list[Refund]:
        found = [row for row in self.tables.refunds.values() if wanted(row)]
        return sorted(found, key=lambda row: (row.created_at, row.id))


@dataclass
class MemoryPaymentEvents:
    """Webhooks as received."""

    tables: MemoryTables

    def record(self, event: PaymentEvent) -> PaymentEvent:
        """Keep an event once, and count its deliveries."""
        kept = self.tables.events.get(event.digest)
        kept = replace(kept, deliveries=kept.deliveries + 1) if kept else event
        self.tables.events[event.digest] = kept
        return kept

    def lock_due(self, *, now: datetime) -> PaymentEvent | None:
        due = [
            (event.due_at, event.digest)
            for event in self.tables.events.values()
            if event.due_at is not None and event.due_at <= now
        ]
        return self.tables.events[min(due)[1]] if due else None

    def save(self, event: PaymentEvent) -> None:
        kept = self.tables.events[event.digest]
        self.tables.events[event.digest] = replace(
            kept, attempts=event.attempts, due_at=event.due_at
        )

    def complete(self, *, received_before: datetime, limit: int) -> Sequence[PaymentEvent]:
        found = [
            event
            for event in self.tables.events.values()
            if event.due_at is None
            and event.received_at < received_before
            and event.digest not in self.tables.reduced_events
        ]
        return sorted(found, key=lambda event: event.received_at)[:limit]

    def reduce(self, digest: str, *, body: str, at: datetime) -> None:
        self.tables.events[digest] = replace(self.tables.events[digest], body=body)
        self.tables.reduced_events[digest] = at
