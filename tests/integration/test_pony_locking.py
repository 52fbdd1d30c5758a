"""Races for rows, and the constraints behind them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions
from adapters.pony_store.postgres import PostgresEngine
from creditcore.domain.books import Books, Footprint
from creditcore.domain.documents import Seller
from creditcore.domain.errors import InsufficientCreditsError, RefusedByStoreError, StoreBusyError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.usage_hours import RefusalCount, UsageOf
from creditcore.testing.contracts import NOON, a_key, a_purchase, a_wallet, admit, at_once, settle
from creditcore.testing.contracts.fiscal_stamps import STAMP, a_document, issue
from creditcore.testing.contracts.usage_hours import WHOLE_DAY, Made, make, took, used
from creditcore.testing.memory import FixedClock
from creditcore.usecases.payments.stamp_documents import StampDocuments
from tests.integration.books import KEY_HASH, reserve
from tests.processes import run_program
from tests.stack import wait_until
from tests.stores import WAIT_S, somebody_waits_for_a_lock, sqlite_store


class UnguardedEngine(PostgresEngine):
    """PostgreSQL without row locks: what the store would be if somebody forgot them."""

    row_lock: ClassVar[str] = ""


def test_wallets_locked_in_opposite_order_do_not_deadlock(store: PonyTransactions) -> None:
    for name in "abc":
        a_wallet(store, posted=1000, wallet_id=name)

    def spend(index: int) -> None:
        names = ["a", "b", "c"] if index % 2 else ["c", "b", "a"]
        for number in range(20):
            with store.begin() as tx:
                books = tx.ledger.lock(Footprint(wallet_ids=names))
                for name in names:
                    reserve(books, 1, reference=f"{name}-{index}-{number}", wallet_id=name)
                tx.ledger.write(books)
                tx.commit()

    outcomes = at_once(4, spend)

    assert outcomes == [None] * 4
    with store.begin() as tx:
        assert tx.ledger.find_wallet("a").held == Credits(80)


def test_wallets_are_locked_in_the_order_of_their_ids(url: str, store: PonyTransactions) -> None:
    # Later ids first, so that no other order comes about by chance.
    names = [f"wallet-{number}" for number in range(9, 0, -1)]
    for name in names:
        a_wallet(store, wallet_id=name)

    def lock_all() -> int:
        with store.begin() as tx:
            return len(tx.ledger.lock(Footprint(wallet_ids=names)).wallets)

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(1) as threads:
        cursor = other.cursor()
        cursor.execute("SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE")
        waiting = threads.submit(lock_all)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        # It waits for the first and has not taken any other yet.
        cursor.execute("SELECT 1 FROM wallets WHERE id > 'wallet-1' FOR UPDATE NOWAIT")
        other.rollback()
        assert waiting.result(WAIT_S) == len(names)


def admit_by_key(store: PonyTransactions, amount: int, *, reference: str) -> Hold:
    """Hold credits of the wallet that a key brings along."""
    with store.begin() as tx:
        books = tx.ledger.lock(Footprint(key_hashes={KEY_HASH}, hold_references={reference}))
        wallet_id = books.key(KEY_HASH, now=NOON).wallet_id
        reserve(books, amount, reference=reference, wallet_id=wallet_id)
        tx.ledger.write(books)
        tx.commit()
    return books.holds[reference]


@pytest.mark.parametrize("call", [admit, admit_by_key])
def test_two_hundred_calls_at_once_and_credits_for_ten(
    store: PonyTransactions, call: Callable[..., Hold]
) -> None:
    wallet = a_wallet(store, posted=100)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=KEY_HASH))
        tx.commit()

    outcomes = at_once(200, lambda index: call(store, 10, reference=f"call-{index}"))

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Hold), kinds.count(InsufficientCreditsError)) == (10, 190)
    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").available == ZERO


def test_a_second_reader_waits_for_the_first_writer(url: str, store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with ThreadPoolExecutor(1) as threads:
        with store.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
            second = threads.submit(admit, store, 10, reference="call-2")
            wait_until(lambda: somebody_waits_for_a_lock(url))
            reserve(books, 10)
            tx.ledger.write(books)
            tx.commit()
        second.result()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").held == Credits(20)
        assert tx.audit.breaches("I2", limit=1) == []


def test_without_the_row_lock_a_hold_is_lost(url: str) -> None:
    unguarded = PonyTransactions(UnguardedEngine(url), pool_size=2, wait_s=WAIT_S)
    with closing(unguarded) as store, ThreadPoolExecutor(1) as threads:
        a_wallet(store, posted=100)

        with store.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
            threads.submit(admit, store, 10, reference="call-2").result()
            reserve(books, 10)
            tx.ledger.write(books)
            tx.commit()

        with store.begin() as tx:
            [breach] = tx.audit.breaches("I2", limit=10)
    assert breach.row == "wallets wallet-1"
    assert "10 stored, 20 expected" in breach.detail


def test_a_hold_that_was_closed_meanwhile_is_not_closed_again(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)
    hold = admit(store, 60)
    with store.begin() as tx:
        stale = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"}))
    settle(store, hold, 25)

    with store.begin() as tx:
        stale.settle("call-1", Credits(60), at=NOON)
        with pytest.raises(StoreBusyError):
            tx.ledger.write(stale)
        with pytest.raises(StoreBusyError):
            tx.commit()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").posted == Credits(75)


def test_a_hold_that_was_closed_meanwhile_does_not_grow(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)
    hold = admit(store, 10)
    settle(store, hold, 5)

    with pytest.raises(StoreBusyError), store.begin() as tx:
        grown = replace(hold, amount=Credits(20))
        tx.ledger.write(Books(changed_holds={hold.reference: (hold, grown)}))


def test_a_purchase_that_changed_since_it_was_found_is_not_confirmed(
    store: PonyTransactions,
) -> None:
    purchase = a_purchase(a_wallet(store))
    with store.begin() as tx:
        tx.purchases.add(purchase)
        tx.commit()

    def pay() -> None:
        with store.begin() as tx:
            tx._session.change("UPDATE transactions SET checkout_url = 'https://pay.example'")
            tx.commit()

    with ThreadPoolExecutor(1) as threads, store.begin() as tx:
        tx.purchases.find(purchase.reference)
        threads.submit(pay).result()
        with pytest.raises(StoreBusyError):
            tx.purchases.lock(purchase.reference)


def test_a_constraint_of_the_database_is_the_last_guard(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with pytest.raises(RefusedByStoreError, match="wallets_held"), store.begin() as tx:
        tx._session.change("UPDATE wallets SET held = 101")

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").held == ZERO


def test_an_inner_transaction_is_refused_and_the_outer_goes_on(store: PonyTransactions) -> None:
    with store.begin() as tx:
        with pytest.raises(RuntimeError), store.begin():
            pass
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        tx.commit()

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").owner_id == "somebody"


def test_a_second_process_with_the_sqlite_file_loses_the_race(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store, store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="somebody"))
        other = run_program(
            "import sys; from adapters.pony_store import open_store, sqlite;"
            "sqlite.BUSY_WAIT_MS = 0; open_store(sys.argv[1]).ping()",
            f"sqlite:///{tmp_path / 'credits.db'}",
        )
        tx.commit()

    assert "StoreBusyError" in other.stderr.splitlines()[-1]


def test_a_refused_call_waits_for_the_roll_up_and_keeps_what_it_measured(
    url: str, store: PonyTransactions
) -> None:
    a_wallet(store, posted=1000)
    make(store, Made())
    refused = RefusalCount("wallet-1", hour_of(NOON), "key-1", "demo", 429, "rate_limit_exceeded")

    def refuse() -> None:
        with store.begin() as tx:
            tx.usage_hours.add_refusals([refused])
            tx.commit()

    with ThreadPoolExecutor(1) as threads:
        with store.begin() as tx:
            tx.usage_hours.roll_up(until=NOON + 2 * HOUR)
            refusing = threads.submit(refuse)
            wait_until(lambda: somebody_waits_for_a_lock(url), timeout_s=WAIT_S)
            tx.commit()
        refusing.result()

    of_model = UsageOf("wallet-1", model="demo")
    for span in (WHOLE_DAY, Span(hour_of(NOON), hour_of(NOON) + HOUR)):
        [tally], [timing] = used(store, of_model, [span]), took(store, of_model, [span])
        assert (tally.calls, tally.refused_429, timing.latency.total) == (1, 1, 1)


def test_an_audit_sees_one_instant(store: PonyTransactions) -> None:
    a_wallet(store, posted=100)

    with ThreadPoolExecutor(1) as threads, store.begin() as tx:
        before = tx.audit.counts()
        threads.submit(a_wallet, store, wallet_id="wallet-2").result()
        after = tx.audit.counts()

    assert after == before


def test_who_stamps_a_document_second_sees_the_first_stamp(
    url: str, store: PonyTransactions
) -> None:
    document = a_document()
    issue(store, document)
    clock = FixedClock(STAMP.signed_at)
    stamps = StampDocuments(transactions=store, clock=clock, seller=Seller(name="Jua"))
    given = {
        "invoice_number": STAMP.invoice_number,
        "signature": "ANOTHER",
        "signed_at": STAMP.signed_at.isoformat(),
    }

    with ThreadPoolExecutor(1) as threads:
        with store.begin() as tx:
            tx.purchases.lock(document.purchase)
            tx.fiscal_stamps.add(document, STAMP)
            second = threads.submit(stamps.enter, document.name, given)
            wait_until(lambda: somebody_waits_for_a_lock(url))
            tx.commit()
        refusal = second.exception(WAIT_S)

    assert "has another stamp already" in str(refusal)
