"""The audit finds what the constraints of the schema cannot see, and what they should have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.engine import engine_for
from creditcore.domain.books import Footprint
from creditcore.domain.purchases import Payment, PaymentStatus
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.testing.contracts import NOON, a_purchase, a_wallet, admit, settle

_HOUR = 1780315200000000
"""Noon of ``NOON``'s day, in microseconds."""

_MIDNIGHT = _HOUR - 12 * 3600000000

DAMAGES = [
    ("I1", "UPDATE wallets SET posted = posted + 1", "wallets wallet-1"),
    ("I1", "DELETE FROM transfers WHERE reference = 'gift:wallet-1'", "wallets wallet-1"),
    ("I2", "UPDATE wallets SET held = held + 1", "wallets wallet-1"),
    ("I2", "UPDATE usage_logs SET hold_amount = 6 WHERE id = 'open'", "wallets wallet-1"),
    ("I3", "UPDATE wallets SET held = posted + 1", "wallets wallet-1"),
    ("I3", "UPDATE wallets SET held = -1", "wallets wallet-1"),
    ("I4", "UPDATE transfers SET amount = 1 WHERE kind = 'purchase'", "transactions cc-1"),
    ("I4", "DELETE FROM transfers WHERE kind = 'bonus'", "transactions cc-1"),
    ("I4", "UPDATE transactions SET state = 'failed'", "transactions cc-1"),
    ("I4", "UPDATE transactions SET paystack_ref = 'cc-2'", "transfers purchase:cc-1:sales"),
    ("I5", "UPDATE transfers SET amount = 1 WHERE kind = 'charge'", "usage_logs settled"),
    ("I5", "DELETE FROM transfers WHERE reference = 'charge:settled'", "usage_logs settled"),
    ("I5", "UPDATE usage_logs SET charge = 0 WHERE id = 'settled'", "usage_logs settled"),
    ("I5", "UPDATE usage_logs SET charge = 1 WHERE id = 'open'", "usage_logs open"),
    ("I6", "UPDATE usage_logs SET charge = 61 WHERE id = 'settled'", "usage_logs settled"),
    ("I6", "DELETE FROM transfers WHERE kind = 'write_off'", "usage_logs beyond"),
    ("I6", "UPDATE usage_logs SET written_off = 0 WHERE id = 'beyond'", "usage_logs beyond"),
    ("I7", "DELETE FROM usage_logs WHERE id = 'settled'", "transfers charge:settled"),
    ("I7", "DELETE FROM usage_logs WHERE id = 'beyond'", "transfers write_off:beyond"),
    ("I7", "UPDATE usage_logs SET closed_at = 1 WHERE id = 'settled'", "usage_logs settled"),
    ("I11", "UPDATE usage_hourly SET charge = charge + 1", f"usage_hourly wallet-1 at {_HOUR}"),
    ("I11", "DELETE FROM usage_hourly", f"usage_hourly wallet-1 at {_HOUR}"),
    ("I11", "UPDATE usage_rollup SET rolled_until = 0", f"usage_hourly wallet-1 at {_HOUR}"),
    (
        "I11",
        "UPDATE usage_blocks SET charge = 1 WHERE hours = 6",
        f"usage_blocks wallet-1 at {_HOUR} for 6 hours",
    ),
    (
        "I11",
        "DELETE FROM usage_blocks WHERE hours = 24",
        f"usage_blocks wallet-1 at {_MIDNIGHT} for 24 hours",
    ),
    ("I11", "DELETE FROM transfers WHERE reference = 'charge:settled'", "wallets wallet-1"),
    ("I8", "UPDATE transactions SET paid_minor_units = 1", "transactions cc-1"),
    ("I8", "UPDATE transactions SET paid_currency = 'USD'", "transactions cc-1"),
    ("I8", "UPDATE transactions SET closed_at = NULL", "transactions cc-1"),
    ("I8", "UPDATE transactions SET state = 'pending', closed_at = NULL", "transactions cc-1"),
    ("I8", "UPDATE usage_logs SET closed_at = NULL WHERE id = 'settled'", "usage_logs settled"),
]
"""What was done to sound books, which invariant it breaks, and the row that shows it."""


@pytest.fixture
def url(any_url: str) -> str:
    return any_url


@pytest.fixture
def store(url: str) -> Iterator[PonyTransactions]:
    """Sound books with every kind of call and a paid purchase."""
    with closing(open_store(url)) as store:
        fill(store)
        yield store


def fill(store: PonyTransactions) -> None:
    wallet = a_wallet(store, posted=1000)
    settle(store, admit(store, 60, reference="settled"), 25)
    settle(store, admit(store, 10, reference="beyond"), 25)
    settle(store, admit(store, 10, reference="free"), 0)
    admit(store, 5, reference="open")
    with store.begin() as tx:
        assert tx.usage_hours.roll_up(until=NOON + timedelta(hours=1)).calls == 3
        tx.commit()
    purchase = a_purchase(wallet)
    payment = Payment(
        reference=purchase.reference, status=PaymentStatus.SUCCEEDED, amount=purchase.offer.price
    )
    with store.begin() as tx:
        tx.purchases.add(purchase)
        decision = tx.purchases.lock(purchase.reference).apply(payment, at=NOON)
        books = tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
        books.post(decision.transfers)
        tx.purchases.save(decision.purchase)
        tx.ledger.write(books)
        tx.payment_events.record(announced(at=NOON))
        tx.commit()


def announced(*, at: datetime, digest: str = "d-1") -> PaymentEvent:
    return PaymentEvent(
        digest=digest,
        kind=EventKind.PAID,
        name="charge.success",
        reference="cc-1",
        body="{}",
        received_at=at,
    )


def breaches(store: PonyTransactions, *, limit: int = 10) -> set[tuple[str, str]]:
    with store.begin() as tx:
        return {
            (breach.invariant, breach.row)
            for number in range(1, 13)
            for breach in tx.audit.breaches(f"I{number}", limit=limit)
        }


def damage(url: str, statement: str) -> None:
    """Change rows as only somebody with the database's own password could."""
    engine = engine_for(url)
    with closing(engine.open_connection()) as connection:
        cursor = connection.cursor()
        if engine.provider == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute("PRAGMA foreign_keys = OFF")
        else:
            cursor.execute(
                "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c'"
                " AND connamespace = 'public'::regnamespace"
            )
            for table, constraint in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        cursor.execute(statement)
        assert cursor.rowcount > 0
        connection.commit()


def test_sound_books_have_no_breach(store: PonyTransactions) -> None:
    assert breaches(store) == set()
    with store.begin() as tx:
        assert tx.audit.counts() == {"wallets": 1, "transfers": 6, "holds": 4, "purchases": 1}


@pytest.mark.parametrize(("invariant", "statement", "row"), DAMAGES)
def test_damage_is_found(
    url: str, store: PonyTransactions, invariant: str, statement: str, row: str
) -> None:
    damage(url, statement)

    assert (invariant, row) in breaches(store)


def test_a_breach_says_what_is_stored_and_what_should_be(url: str, store: PonyTransactions) -> None:
    damage(url, "UPDATE wallets SET held = 7")

    with store.begin() as tx:
        [breach] = tx.audit.breaches("I2", limit=10)

    assert breach.detail == ("microcredits held, by the sum of open holds: 7 stored, 5 expected")


def test_no_more_breaches_than_asked_for_are_returned(url: str, store: PonyTransactions) -> None:
    damage(url, "DELETE FROM transfers WHERE kind IN ('charge', 'write_off')")

    with store.begin() as tx:
        assert len(tx.audit.breaches("I5", limit=10)) == 2
        assert len(tx.audit.breaches("I5", limit=1)) == 1


@pytest.mark.parametrize(
    ("ago", "found"),
    [(timedelta(minutes=14), set()), (timedelta(minutes=16), {("I8", "transactions cc-3")})],
)
def test_an_announced_payment_may_wait_a_quarter_of_an_hour(
    store: PonyTransactions, ago: timedelta, found: set[tuple[str, str]]
) -> None:
    with store.begin() as tx:
        wallet = tx.ledger.find_wallet("wallet-1")
        tx.purchases.add(a_purchase(wallet, reference="cc-3"))
        event = announced(at=datetime.now(UTC) - ago, digest="d-3")
        tx.payment_events.record(replace(event, reference="cc-3"))
        tx.commit()

    assert breaches(store) == found
