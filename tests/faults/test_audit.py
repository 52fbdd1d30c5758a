"""A change of the books behind our back is found: the audit names the rule and the row."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, open_store
from creditcore import (
    AuditBooks,
    Ceiling,
    Credits,
    Money,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
    SystemClock,
)
from creditcore.domain.books import Footprint
from creditcore.domain.errors import RefusedByStoreError
from creditcore.domain.refund_book import RefundBook
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.testing.contracts import MINUTE, a_purchase, a_wallet, admit, settle
from creditcore.usecases.books.audit_books import INVARIANTS, Report
from tests.command_server import run_flask
from tests.stack import AUTH_SECRET, PATIENCE_S
from tests.stores import migrated_postgres_database, migrated_sqlite_file

NOW = SystemClock().now()
LONG_AGO = NOW - timedelta(days=1)


@dataclass
class BooksUnderTest:
    """Stored books, and a way to change them that asks no rule."""

    store: PonyTransactions
    environ: dict[str, str]
    tamper: Callable[[str], None]

    def audit(self) -> Report:
        return AuditBooks(transactions=self.store).audit()

    def command(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run the operator's command as an operator does."""
        return run_flask(["audit", *flags], self.environ, timeout_s=5 * PATIENCE_S)


def environment(data_dir: Path, postgres_url: str = "") -> dict[str, str]:
    """Return what a command needs that talks to the database only."""
    return {
        **os.environ,
        "APP_ENV": "development",
        "AUTH_SECRET": AUTH_SECRET,
        "POSTGRES_URL": postgres_url,
        "DATA_DIR": str(data_dir),
        "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
        "LITELLM_BASE_URL": "http://127.0.0.1:9",
        "LITELLM_MASTER_KEY": "sk-nobody",
    }


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BooksUnderTest]:
    """Clean books with one of everything."""
    if request.param == "sqlite":
        file = tmp_path / "creditcore.db"

        def tamper_sqlite(statement: str) -> None:
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA ignore_check_constraints = ON")
                connection.execute(statement)
                connection.commit()

        with closing(open_store(migrated_sqlite_file(file))) as store:
            fill(store)
            yield BooksUnderTest(store, environment(tmp_path), tamper_sqlite)
        return
    with migrated_postgres_database() as url:

        def tamper_postgres(statement: str) -> None:
            with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
                drop_rules(cursor)
                cursor.execute(statement)
                connection.commit()

        with closing(open_store(url)) as store:
            fill(store)
            yield BooksUnderTest(store, environment(tmp_path, url), tamper_postgres)


def drop_rules(cursor: psycopg2.extensions.cursor) -> None:
    """Drop every rule of the tables: an intruder who can change rows can do that too."""
    cursor.execute(
        "SELECT conrelid::regclass, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    for table, constraint in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')


def fill(store: PonyTransactions) -> None:
    """Store a wallet with calls in every state, and purchases."""
    wallet = a_wallet(store, posted=1000)
    settle(store, admit(store, 100, reference="settled"), 70)
    settle(store, admit(store, 100, reference="beyond"), 130)
    admit(store, 100, reference="open")
    wallet_2 = a_wallet(store, wallet_id="wallet-2")
    refunded = a_purchase(wallet_2, reference="refunded")
    paid = a_purchase(wallet, reference="paid")
    pending = a_purchase(wallet, reference="pending")
    payment = Payment(reference="paid", status=PaymentStatus.SUCCEEDED, amount=paid.offer.price)
    with store.begin() as tx:
        tx.purchases.add(paid)
        tx.purchases.add(pending)
        decision = paid.apply(payment, at=NOW)
        locked = tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
        locked.post(decision.transfers)
        tx.ledger.write(locked)
        tx.purchases.save(replace(decision.purchase, provider_id="1"))
        tx.payment_events.record(
            PaymentEvent(
                digest="d" * 64,
                kind=EventKind.PAID,
                name="charge.success",
                reference="paid",
                body="{}",
                received_at=LONG_AGO,
            )
        )
        tx.commit()
    refund(store, refunded)


def refund(store: PonyTransactions, purchase: Purchase) -> None:
    """Pay a purchase, spend all of it, and have half of the money go back."""
    paid = replace(
        purchase,
        state=PurchaseState.PAID,
        paid=purchase.offer.price,
        provider_id="2",
        closed_at=NOW,
    )
    with store.begin() as tx:
        tx.purchases.add(paid)
        locked = tx.ledger.lock(Footprint(wallet_ids={purchase.wallet_id}))
        locked.post(purchase._transfers(NOW))
        book = RefundBook(purchase=paid, refunds={}, books=locked, at=NOW)
        admission = locked.admit(
            purchase.wallet_id,
            Ceiling.of(purchase.offer.credits),
            reference="spent",
            call=None,
            now=NOW,
            lifetime=MINUTE,
        )
        locked.settle("spent", admission.hold.amount - Credits(9), at=NOW)
        half = book.request("half", Money(paid.offer.price.minor_units // 2, "KES"), reason="test")
        tx.refunds.save(half)
        tx.ledger.write(locked)
        tx.commit()


def insert_transfer(reference: str, kind: str, source: str, target: str) -> str:
    return (  # constants of this file only
        "INSERT INTO transfers"  # noqa: S608
        " (reference, wallet_id, from_account, to_account, amount, kind, at, note)"
        f" VALUES ('{reference}', 'wallet-1', '{source}', '{target}', 5, '{kind}', 1, '')"
    )


TAMPERINGS = [
    ("I1", "wallets wallet-1", "UPDATE wallets SET posted = posted + 1"),
    ("I1", "wallets wallet-1", "UPDATE wallets SET posted = posted - 1"),
    ("I1", "wallets wallet-1", "DELETE FROM transfers WHERE reference = 'gift:wallet-1'"),
    (
        "I1",
        "wallets wallet-1",
        "UPDATE transfers SET amount = amount + 1 WHERE reference = 'charge:settled'",
    ),
    ("I1", "wallets wallet-1", insert_transfer("extra", "grant", "bonus", "wallet-1")),
    ("I2", "wallets wallet-1", "UPDATE wallets SET held = held - 1"),
    (
        "I2",
        "wallets wallet-1",
        "UPDATE usage_logs SET hold_amount = hold_amount + 1 WHERE id = 'open'",
    ),
    ("I2", "wallets wallet-1", "DELETE FROM usage_logs WHERE id = 'open'"),
    ("I3", "wallets wallet-1", "UPDATE wallets SET held = posted + 1"),
    ("I3", "wallets wallet-1", "UPDATE wallets SET held = -1"),
    ("I4", "transactions paid", "UPDATE transactions SET sold = sold + 1"),
    ("I4", "transactions paid", "DELETE FROM transfers WHERE reference = 'purchase:paid:bonus'"),
    (
        "I4",
        "transactions paid",
        "UPDATE transfers SET amount = 2 * amount WHERE reference = 'purchase:paid:sales'",
    ),
    (
        "I4",
        "transactions pending",
        insert_transfer("purchase:pending:sales", "purchase", "sales", "wallet-1"),
    ),
    (
        "I4",
        "transfers purchase:ghost:sales",
        insert_transfer("purchase:ghost:sales", "purchase", "sales", "wallet-1"),
    ),
    ("I5", "usage_logs settled", "UPDATE usage_logs SET charge = charge - 1 WHERE id = 'settled'"),
    ("I5", "usage_logs settled", "UPDATE usage_logs SET state = 'open' WHERE id = 'settled'"),
    ("I5", "usage_logs settled", "DELETE FROM transfers WHERE reference = 'charge:settled'"),
    ("I5", "usage_logs open", insert_transfer("charge:open", "charge", "wallet-1", "usage")),
    (
        "I6",
        "usage_logs settled",
        "UPDATE usage_logs SET charge = hold_amount + 1 WHERE id = 'settled'",
    ),
    ("I6", "usage_logs settled", "UPDATE usage_logs SET charge = -1 WHERE id = 'settled'"),
    ("I6", "usage_logs beyond", "UPDATE usage_logs SET written_off = 0 WHERE id = 'beyond'"),
    ("I6", "usage_logs beyond", "DELETE FROM transfers WHERE reference = 'write_off:beyond'"),
    ("I7", "transfers charge:settled", "DELETE FROM usage_logs WHERE id = 'settled'"),
    ("I7", "transfers write_off:beyond", "DELETE FROM usage_logs WHERE id = 'beyond'"),
    ("I7", "transfers charge:x", insert_transfer("charge:x", "charge", "wallet-1", "usage")),
    (
        "I7",
        "usage_logs settled",
        "UPDATE usage_logs SET closed_at = created_at - 1 WHERE id = 'settled'",
    ),
    (
        "I8",
        "transactions paid",
        "UPDATE transactions SET paid_minor_units = 1 WHERE paystack_ref = 'paid'",
    ),
    (
        "I8",
        "transactions paid",
        "UPDATE transactions SET paid_currency = 'USD' WHERE paystack_ref = 'paid'",
    ),
    ("I8", "transactions paid", "UPDATE transactions SET closed_at = NULL"),
    ("I8", "transactions pending", "UPDATE payment_events SET reference = 'pending'"),
    ("I8", "usage_logs settled", "UPDATE usage_logs SET closed_at = NULL WHERE id = 'settled'"),
]


TAMPERINGS += [
    ("I9", "wallets wallet-2", "UPDATE wallets SET owed = owed - 1 WHERE id = 'wallet-2'"),
    ("I9", "wallets wallet-1", "UPDATE wallets SET owed = 1 WHERE id = 'wallet-1'"),
    (
        "I9",
        "wallets wallet-2",
        "UPDATE wallets SET posted = posted + 1 WHERE id = 'wallet-2'",
    ),
    ("I9", "wallets wallet-2", "DELETE FROM transfers WHERE reference = 'refund:half:1:owed'"),
    ("I10", "refunds half", "DELETE FROM transfers WHERE reference = 'refund:half:1:owed'"),
    ("I10", "refunds half", "UPDATE refunds SET credits = credits - 1"),
    ("I10", "transfers refund:half:1:owed", "DELETE FROM refunds"),
    ("I10", "transactions refunded", "UPDATE refunds SET credits = 3000000000"),
    (
        "I10",
        "transactions refunded",
        "UPDATE transactions SET state = 'reversed' WHERE paystack_ref = 'refunded'",
    ),
]


TAMPERINGS += [
    # Without a charge of its own, the calls of the wallet moved more than its transfers.
    ("I11", "wallets wallet-1", "DELETE FROM transfers WHERE reference = 'charge:settled'"),
    ("I11", "wallets wallet-1", "UPDATE usage_logs SET charge = charge - 1 WHERE id = 'settled'"),
]

_OPEN_CALL_OF_NONE = """
    INSERT INTO key_counters (id, wallet_id, since, spent, held, open_calls)
    VALUES ('key-1', 'wallet-1', 0, 0, 0, 1)
"""
TAMPERINGS += [("I12", "key_counters key-1", _OPEN_CALL_OF_NONE)]


def test_there_is_a_tampering_for_every_invariant() -> None:
    assert {invariant for invariant, _, _ in TAMPERINGS} == set(INVARIANTS)


def test_clean_books_are_clean(books: BooksUnderTest) -> None:
    report = books.audit()

    assert report.clean, report
    assert report.counts == {"wallets": 2, "transfers": 11, "holds": 4, "purchases": 3}


@pytest.mark.parametrize(("invariant", "row", "statement"), TAMPERINGS)
def test_a_tampering_is_named(
    books: BooksUnderTest, invariant: str, row: str, statement: str
) -> None:
    books.tamper(statement)

    report = books.audit()

    assert not report.clean
    assert row in {breach.row for breach in report.breaches[invariant]}
    assert all(breach.detail for breach in report.breaches[invariant])


@pytest.mark.parametrize(
    "impossible",
    [
        "UPDATE wallets SET held = posted + 1",
        "UPDATE wallets SET held = -1",
        "UPDATE usage_logs SET charge = hold_amount + 1 WHERE id = 'settled'",
        "UPDATE usage_logs SET state = 'open' WHERE id = 'settled'",
        "UPDATE transactions SET paid_currency = 'USD' WHERE paystack_ref = 'paid'",
    ],
)
def test_the_rules_of_the_tables_refuse_most_of_it(books: BooksUnderTest, impossible: str) -> None:
    """The audit is the last line: an ordinary session cannot even write these."""
    with pytest.raises(RefusedByStoreError), books.store.begin() as tx:
        tx._session.change(impossible)

    assert books.audit().clean


def test_the_command_says_so_and_exits_with_zero_or_one(books: BooksUnderTest) -> None:
    clean = books.command()
    books.tamper("UPDATE wallets SET posted = posted + 1 WHERE id = 'wallet-1'")
    broken = books.command()
    for_machines = books.command("--json")

    assert (clean.returncode, broken.returncode, for_machines.returncode) == (0, 1, 1)
    assert clean.stdout.endswith("The books are clean.\n")
    assert "BROKEN  I1" in broken.stdout
    assert "wallets wallet-1" in broken.stdout
    report = json.loads(for_machines.stdout)
    assert report["clean"] is False
    [breach] = report["invariants"]["I1"]["breaches"]
    assert breach["row"] == "wallets wallet-1"
    assert not report["invariants"]["I2"]["breaches"]
