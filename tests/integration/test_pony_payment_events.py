"""The inbox in SQL: its index, its row locks, and webhooks of before there was one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.pony_store import PonyTransactions, migrate, open_store
from adapters.pony_store.engine import engine_for
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.testing.contracts import MINUTE, NOON, a_purchase, a_wallet
from tests.integration.schema_rows import PAID, ROWS, insert
from tests.stores import WAIT_S, migrate_to

EXPLAIN = """
    EXPLAIN {query_plan} SELECT * FROM payment_events
    WHERE due_at <= ? ORDER BY due_at, digest LIMIT 1 {row_lock}
"""

RECEIVE_AS_BEFORE = """
    INSERT INTO payment_events (digest, kind, reference, body, received_at, deliveries)
    VALUES (?, ?, ?, '{}', 1, 1)
"""
"""What a process of the version before does, which runs on beside this one for a while."""


def an_event(digest: str) -> PaymentEvent:
    return PaymentEvent(
        digest=digest,
        kind=EventKind.PAID,
        name="charge.success",
        reference="cc-1",
        body="{}",
        received_at=NOON,
        due_at=NOON,
    )


def take_due(store: PonyTransactions) -> list[str]:
    """Return the names of what is due, in turn, and leave it for later."""
    taken: list[str] = []
    with store.begin() as tx:
        while (event := tx.payment_events.lock_due(now=NOON)) is not None:
            tx.payment_events.save(replace(event, due_at=NOON + MINUTE))
            taken.append(event.digest)
        tx.commit()
    return taken


def test_what_another_transaction_has_locked_is_passed_over(store: PonyTransactions) -> None:
    with store.begin() as tx:
        for digest in "ab":
            tx.payment_events.record(an_event(digest))
        tx.commit()

    with ThreadPoolExecutor(1) as threads, store.begin() as tx:
        first = tx.payment_events.lock_due(now=NOON)
        # The lock is kept until the block ends: a thread that waited for it would not come back.
        others = threads.submit(take_due, store).result(WAIT_S)

    assert first is not None
    assert (first.digest, others) == ("a", ["b"])


def test_what_is_due_is_found_by_an_index(empty_url: str) -> None:
    migrate(empty_url)
    engine = engine_for(empty_url)
    query_plan = "QUERY PLAN" if engine.provider == "sqlite" else ""
    question = EXPLAIN.format(query_plan=query_plan, row_lock=engine.row_lock)
    with closing(engine.open_connection()) as connection:
        cursor = connection.cursor()
        if engine.provider == "postgres":
            # An empty table is read faster without.
            cursor.execute("SET enable_seqscan = off")
        cursor.execute(engine.statement(question), (1,))
        plan = str(cursor.fetchall()).lower()

    assert "payment_events_due" in plan
    assert "sort" not in plan
    assert "temp b-tree" not in plan


def test_what_was_not_acted_upon_before_there_was_an_inbox_is_due(empty_url: str) -> None:
    migrate_to(empty_url, "0004")
    engine = engine_for(empty_url)
    states: dict[str, dict[str, object]] = {
        "pending": {},
        "failed": {"state": "failed", "closed_at": 3},
        "under_review": {"state": "under_review", "closed_at": 3},
        "paid": PAID,
    }
    webhooks = [
        *[(name, "charge.success", name) for name in states],
        ("not ours", "charge.success", "elsewhere"),
        ("nameless", "charge.success", ""),
        ("refund", "refund.processed", "pending"),
    ]
    with closing(engine.open_connection()) as connection:
        for table in ("profiles", "wallets"):
            insert(engine, connection, table, ROWS[table])
        for name, state in states.items():
            purchase = ROWS["transactions"] | {"paystack_ref": name} | state
            insert(engine, connection, "transactions", purchase)
        cursor = connection.cursor()
        for webhook in webhooks:
            cursor.execute(engine.statement(RECEIVE_AS_BEFORE), webhook)
        connection.commit()

    migrate(empty_url)
    with closing(engine.open_connection()) as connection:
        connection.cursor().execute(
            engine.statement(RECEIVE_AS_BEFORE), ("newest", "charge.success", "pending")
        )
        connection.commit()

    with closing(open_store(empty_url)) as store:
        assert sorted(take_due(store)) == ["failed", "newest", "pending"]


def test_kinds_of_before_are_read_in_our_words(empty_url: str) -> None:
    """Also one that a process of the version before writes when the columns are there."""
    migrate_to(empty_url, "0006")
    engine = engine_for(empty_url)
    names = {
        "charge.success": EventKind.PAID,
        "refund.processed": EventKind.REFUND,
        "charge.dispute.create": EventKind.DISPUTE,
        "transfer.success": EventKind.OTHER,
        "paid": EventKind.OTHER,
        "": EventKind.UNREADABLE,
    }
    with closing(engine.open_connection()) as connection:
        for name in names:
            webhook = (f"before {name}", name, "cc-1")
            connection.cursor().execute(engine.statement(RECEIVE_AS_BEFORE), webhook)
        connection.commit()

    migrate(empty_url)
    with closing(engine.open_connection()) as connection:
        for name in ("charge.success", "transfer.success"):
            webhook = (f"beside {name}", name, "cc-1")
            connection.cursor().execute(engine.statement(RECEIVE_AS_BEFORE), webhook)
        connection.commit()

    found = {}
    with closing(open_store(empty_url)) as store, store.begin() as tx:
        while (event := tx.payment_events.lock_due(now=NOON)) is not None:
            found[event.digest] = (event.kind, event.name)
            tx.payment_events.save(replace(event, due_at=None))
    expected = {f"before {name}": (kind, name) for name, kind in names.items()}
    expected["beside charge.success"] = (EventKind.PAID, "")
    expected["beside transfer.success"] = (EventKind.OTHER, "")
    assert found == expected


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_the_audit_names_a_payment_that_is_not_processed(
    store: PonyTransactions, state: str
) -> None:
    """Done without credits, or long due: no worker runs. One that is tried again is neither."""
    now = datetime.now(UTC)
    dues = {"done": None, "long due": now - 16 * MINUTE, "tried again": now - 14 * MINUTE}
    wallet = a_wallet(store)
    with store.begin() as tx:
        for name, due_at in dues.items():
            closed_at = None if state == "pending" else NOON
            tx.purchases.add(
                replace(
                    a_purchase(wallet, reference=name),
                    state=PurchaseState(state),
                    closed_at=closed_at,
                )
            )
            tx.payment_events.record(
                replace(an_event(name), reference=name, received_at=NOON, due_at=due_at)
            )
        tx.commit()

    with store.begin() as tx:
        found = tx.audit.breaches("I8", limit=10)

    assert [breach.row for breach in found] == ["transactions done", "transactions long due"]
