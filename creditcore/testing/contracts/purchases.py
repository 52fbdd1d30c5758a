"""Purchases, and webhooks as received."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from creditcore.domain.errors import (
    PurchaseNotFoundError,
    ReferenceConflictError,
)
from creditcore.domain.money import Money
from creditcore.domain.payer_details import PayerDetail
from creditcore.domain.purchases import MobilePayer, PurchaseState
from creditcore.domain.sale_terms import Bought
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_purchase, a_wallet, at_once


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
            assert tx.purchases.list_of("another owner", limit=10) == []
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
            receipt_code="SKL7XYZ12A",
            channel="mobile_money",
            closed_at=NOON,
        )

        with transactions.begin() as tx:
            assert tx.purchases.lock("cc-1") == purchase
            tx.purchases.save(paid)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.purchases.find("cc-1") == paid
            assert tx.purchases.pending(created_before=NOON, limit=10) == []

    def test_the_phone_that_pays_comes_back(self, transactions: Transactions) -> None:
        purchase = replace(
            a_purchase(a_wallet(transactions)),
            payer=MobilePayer("mpesa", "+254710000000"),
            display_text="Look at your phone.",
            asks_for=PayerDetail.OTP,
        )
        asked = replace(
            purchase, checked_at=NOON + MINUTE, payer=None, display_text="", asks_for=None
        )

        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            stored = tx.purchases.find("cc-1")
            tx.purchases.save(asked)
            tx.commit()

        with transactions.begin() as tx:
            assert (stored, tx.purchases.find("cc-1")) == (purchase, asked)

    def test_ones_own_are_found_by_the_numbers_of_others(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        rows: dict[str, dict[str, Any]] = {
            "none": {},
            "one": {"provider_id": "5012345678", "receipt_code": "SKL7XYZ12A"},
            "again": {"receipt_code": "SKL7XYZ12A", "created_at": NOON + MINUTE},
            "another's": {
                "provider_id": "5012345678",
                "receipt_code": "SKL7XYZ12A",
                "owner_id": "another owner",
            },
        }
        with transactions.begin() as tx:
            for name, changes in rows.items():
                tx.purchases.add(replace(purchase, reference=name, **changes))
            tx.commit()

        def found(text: str, limit: int = 9) -> list[str]:
            with transactions.begin() as tx:
                named = tx.purchases.with_number(text, owner_id=purchase.owner_id, limit=limit)
                return [row.reference for row in named]

        assert found("5012345678") == ["one"]
        assert found("SKL7XYZ12A") == found("skl7xyz12a") == ["again", "one"]
        assert found("SKL7XYZ12A", limit=1) == ["again"]
        for text in ("", "one", "SKL7XYZ12", "SKL7XYZ12%", "SKL7XYZ12A" * 5, "a\0b"):
            assert found(text) == []

    def test_what_a_person_bought_is_summed(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        states: dict[str, dict[str, Any]] = {
            "waits": {"expires_at": NOON + MINUTE},
            "over": {"expires_at": NOON},
            "paid": {"state": PurchaseState.PAID, "paid": Money(129000, "KES")},
            "review": {"state": PurchaseState.UNDER_REVIEW},
            "failed": {"state": PurchaseState.FAILED},
            "reversed": {"state": PurchaseState.REVERSED},
            "long ago": {"state": PurchaseState.UNDER_REVIEW, "created_at": NOON - 2 * MINUTE},
            "another's": {"owner_id": "another owner"},
        }
        with transactions.begin() as tx:
            for name, changes in states.items():
                closed_at = NOON if "state" in changes else None
                row = replace(purchase, reference=name, closed_at=closed_at)
                tx.purchases.add(replace(row, **changes))
            tx.commit()

        with transactions.begin() as tx:
            found = tx.purchases.bought(purchase.owner_id, since=NOON - MINUTE, now=NOON)
            nothing = tx.purchases.bought("nobody", since=NOON - MINUTE, now=NOON)

        assert found == Bought(6, Money(3000, "USD"))
        assert nothing == Bought(0, Money(0, "USD"))

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
        event = _an_event(due_at=NOON)

        kept = [_record(transactions, event)]
        _record(
            transactions,
            replace(event, kind=EventKind.OTHER, received_at=NOON + MINUTE, due_at=None),
        )
        kept.append(_record(transactions, event))

        assert kept == [event, replace(event, deliveries=3)]

    def test_what_was_tried_comes_back_so(self, transactions: Transactions) -> None:
        event = _record(transactions, _an_event(due_at=NOON))
        tried = replace(event, attempts=2**40, due_at=NOON + MINUTE)

        _save(transactions, tried)

        assert _record(transactions, event) == replace(tried, deliveries=2)

    def test_saving_an_attempt_keeps_the_deliveries_meanwhile(
        self, transactions: Transactions
    ) -> None:
        event = _record(transactions, _an_event(due_at=NOON))
        _record(transactions, event)

        _save(transactions, replace(event, attempts=1))

        assert _record(transactions, event) == replace(event, attempts=1, deliveries=3)

    def test_a_webhook_is_reduced_once_it_is_done_and_old(self, transactions: Transactions) -> None:
        dues = {"done": None, "due": NOON}
        for digest, due_at in dues.items():
            _record(transactions, _an_event(digest=digest, due_at=due_at))

        with transactions.begin() as tx:
            young = tx.payment_events.complete(received_before=NOON, limit=10)
            old = tx.payment_events.complete(received_before=NOON + MINUTE, limit=10)
            tx.payment_events.reduce("done", body="{}", at=NOON + MINUTE)
            after = tx.payment_events.complete(received_before=NOON + MINUTE, limit=10)
            tx.commit()

        assert (young, [event.digest for event in old], after) == ([], ["done"], [])
        assert _record(transactions, _an_event(digest="done")).body == "{}"

    def test_phones_are_masked_when_they_are_old(self, transactions: Transactions) -> None:
        purchase = a_purchase(a_wallet(transactions))
        payer = MobilePayer("mpesa", "+254710000123")
        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.purchases.add(replace(purchase, reference="cc-2", payer=payer))
            tx.commit()

        with transactions.begin() as tx:
            counts = [
                tx.purchases.mask_phones(created_before=NOON + late, limit=10)
                for late in (0 * MINUTE, MINUTE, MINUTE)
            ]
            tx.commit()

        with transactions.begin() as tx:
            masked = tx.purchases.find("cc-2").payer
        assert counts == [0, 1, 0]
        assert masked == MobilePayer("mpesa", "***123")

    def test_what_is_due_comes_in_turn(self, transactions: Transactions) -> None:
        times = {"a": NOON, "b": NOON - MINUTE, "c": NOON + MINUTE, "d": None, "e": NOON}
        for digest, due_at in times.items():
            _record(transactions, _an_event(digest=digest, due_at=due_at))

        found = []
        while (event := _take_due(transactions)) is not None:
            found.append(event.digest)

        assert found == ["b", "a", "e"]

    def test_many_who_look_at_once_find_each_event_once(self, transactions: Transactions) -> None:
        digests = [f"d-{number:02}" for number in range(12)]
        for digest in digests:
            _record(transactions, _an_event(digest=digest, due_at=NOON))
        taken = []

        def take(_index: int) -> None:
            while (event := _take_due(transactions)) is not None:
                taken.append(event.digest)

        errors = [error for error in at_once(4, take) if error is not None]

        assert not errors
        assert sorted(taken) == digests


def _an_event(*, digest: str = "d" * 64, due_at: datetime | None = None) -> PaymentEvent:
    return PaymentEvent(
        digest=digest,
        kind=EventKind.PAID,
        name="charge.paid",
        reference="cc-1",
        body='{"event":"charge.paid","data":{"customer":"Amína"}}',
        received_at=NOON,
        due_at=due_at,
    )


def _record(transactions: Transactions, event: PaymentEvent) -> PaymentEvent:
    with transactions.begin() as tx:
        kept = tx.payment_events.record(event)
        tx.commit()
    return kept


def _save(transactions: Transactions, event: PaymentEvent) -> None:
    with transactions.begin() as tx:
        tx.payment_events.save(event)
        tx.commit()


def _take_due(transactions: Transactions) -> PaymentEvent | None:
    with transactions.begin() as tx:
        event = tx.payment_events.lock_due(now=NOON)
        if event is not None:
            tx.payment_events.save(replace(event, due_at=None))
            tx.commit()
    return event
