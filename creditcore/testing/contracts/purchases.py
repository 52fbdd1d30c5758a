"""Purchases, and webhooks as received."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.errors import (
    PurchaseNotFoundError,
    ReferenceConflictError,
)
from creditcore.domain.money import Money
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON, a_purchase, a_wallet


class PurchasesContract:
    """Purchases and the webhooks about them."""

    def test_a_purchase_comes_back_as_it_was_stored(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.purchases.find("cc-1") == purchase
            assert tx.purchases.list_of(purchase.owner_id, limit=10) == [purchase]
            assert tx.purchases.list_of("somebody else", limit=10) == []
            assert tx.purchases.pending(created_before=NOON, limit=10) == [purchase]

    def test_a_changed_purchase_comes_back_changed(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()
        paid = replace(
            purchase,
            state=PurchaseState.PAID,
            checkout_url="https://pay.example/1",
            paid=Money(129000, "KES"),
            provider_id="5012345678",
            channel="card",
            closed_at=NOON,
        )

        with transactions.begin() as tx:
            assert tx.purchases.lock("cc-1") == purchase
            tx.purchases.save(paid)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.purchases.find("cc-1") == paid
            assert tx.purchases.pending(created_before=NOON, limit=10) == []

    def test_a_reference_is_unique(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()

        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()

    def test_an_unknown_reference_is_named(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            for reference in ("cc-1", "", "a\0b"):
                with pytest.raises(PurchaseNotFoundError):
                    tx.purchases.find(reference)
            with pytest.raises(PurchaseNotFoundError):
                tx.purchases.lock("cc-1")

    def test_a_webhook_is_kept_once(self, transactions: Transactions) -> None:
        event = PaymentEvent(
            digest="d" * 64,
            kind="charge.success",
            reference="cc-1",
            body='{"event":"charge.success","data":{"customer":"Amína"}}',
            received_at=NOON,
        )

        fresh = []
        for _ in range(2):
            with transactions.begin() as tx:
                fresh.append(tx.payment_events.record(event))
                tx.commit()

        assert fresh == [True, False]
