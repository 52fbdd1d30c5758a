"""What a committer remembers need not be read, and must never be believed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import extensions

from adapters.pony_store import PonyTransactions
from adapters.pony_store.committer import cache as remembered
from adapters.pony_store.committer.cache import TIMES_AFTER_A_MISTAKE, Remembered
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore import (
    AuditBooks,
    ChargeUsage,
    Credits,
    GroupCommit,
    InsufficientCreditsError,
    SystemClock,
)
from creditcore.domain.books import Books, Footprint
from creditcore.domain.errors import KeyRefusedError, StoreBusyError
from creditcore.domain.holds import Call, Hold
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.limits import KeyCounter, KeyLimits, SpendLimit
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import NOON, a_key, a_wallet, at_once, settle
from tests.integration.books import KEY_HASH, reserve
from tests.stack import wait_until
from tests.stores import WAIT_S, somebody_waits_for_a_lock

CALL = Call(model="demo")


@pytest.fixture
def committer(url: str, store: PonyTransactions) -> Iterator[PostgresCommitter]:
    """A committer that remembers a wallet with 100 credits, and its key."""
    wallet = a_wallet(store, posted=100)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet))
        tx.commit()
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
        learn(committer)
        yield committer


@pytest.fixture
def charge(committer: PostgresCommitter, store: PonyTransactions) -> Iterator[ChargeUsage]:
    clock = SystemClock()
    with GroupCommit(transactions=committer, clock=clock) as commits:
        yield ChargeUsage(commits=commits, transactions=store, clock=clock)


def learn(committer: PostgresCommitter) -> int:
    """Read the wallet and the key until they are remembered; return how often."""
    for times in range(2 * TIMES_AFTER_A_MISTAKE):
        if remembers(committer):
            return times
    pytest.fail("they are never remembered")


def remembers(committer: PostgresCommitter, **more: set[str]) -> bool:
    """Whether the wallet and the key come without asking the database."""
    with committer.begin() as tx:
        books = tx.ledger.lock(Footprint(key_hashes={KEY_HASH}, **more))
        assert books.wallets.keys() == {"wallet-1"}
        status = tx.connection.info.transaction_status
    return bool(status == extensions.TRANSACTION_STATUS_IDLE)


def change(url: str, statement: str) -> None:
    """Change the database behind the committer's back."""
    with closing(psycopg2.connect(url)) as other:
        other.autocommit = True
        cursor = other.cursor()
        cursor.execute(statement)
        assert cursor.rowcount == 1


def give(store: PonyTransactions, amount: int, *, reference: str) -> None:
    """Give the wallet credits, as a page does after a payment."""
    gift = grant(
        "wallet-1",
        Credits(amount),
        source=PlatformAccount.BONUS,
        kind=TransferKind.GRANT,
        reference=reference,
        at=NOON,
    )
    with store.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        books.post((gift,))
        tx.ledger.write(books)
        tx.commit()


def wallet(store: PonyTransactions) -> tuple[Credits, Credits]:
    with store.begin() as tx:
        found = tx.ledger.find_wallet("wallet-1")
    return found.posted, found.held


# -- what need not be read --------------------------------------------------------------


def test_what_is_remembered_is_charged_without_being_read(
    store: PonyTransactions, committer: PostgresCommitter, charge: ChargeUsage
) -> None:
    for number in range(3):
        admission = charge.authorize_key(
            KEY_HASH, ceiling=Ceiling.of(Credits(60)), reference=f"call-{number}", call=CALL
        )
        assert admission.available == Credits(40 - 10 * number)
        charge.settle(admission.hold, Credits(10))
        assert remembers(committer)

    assert wallet(store) == (Credits(70), Credits(0))


def test_after_a_mistake_a_wallet_counts_when_it_was_found_as_it_was_left_for_a_while(
    store: PonyTransactions, committer: PostgresCommitter, charge: ChargeUsage
) -> None:
    give(store, 50, reference="gift")

    charge.authorize("wallet-1", ceiling=Credits(1), reference="call-1")

    # The second attempt has read it once.
    assert learn(committer) == TIMES_AFTER_A_MISTAKE


def test_a_wallet_that_others_write_to_is_read(
    store: PonyTransactions, committer: PostgresCommitter, charge: ChargeUsage
) -> None:
    give(store, 1, reference="gift")
    charge.authorize("wallet-1", ceiling=Credits(1), reference="call-1")

    for number in range(2 * TIMES_AFTER_A_MISTAKE):
        assert not remembers(committer)
        give(store, 1, reference=f"gift-{number}")


def test_holds_and_transfers_to_read_are_read(committer: PostgresCommitter) -> None:
    assert remembers(committer, new_references={"call-1"})
    assert not remembers(committer, hold_references={"call-1"})
    assert not remembers(committer, transfer_references={"gift:wallet-1"})


def test_an_alert_is_raised_with_what_it_is_about(
    store: PonyTransactions, committer: PostgresCommitter, charge: ChargeUsage
) -> None:
    hold = charge.authorize("wallet-1", ceiling=Credits(60), reference="call-1").hold
    assert remembers(committer)

    charge.settle(hold, Credits(90))

    with store.begin() as tx:
        told = [alert.key for alert in tx.alerts.recent(limit=10)]
    assert told == ["write_off:call-1"]
    assert wallet(store) == (Credits(40), Credits(0))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_REMEMBERED", 3)
    memory = Remembered()

    for number in range(20):
        one = Wallet(id=f"wallet-{number}", owner_id="owner")
        key = a_key(one, key_hash=bytes([number]))
        memory.found(Books(keys={key.key_hash: key}, wallets={one.id: one}))
        assert max(len(memory._wallets), len(memory._keys)) <= 4


# -- what must not be believed ----------------------------------------------------------


def test_credits_given_meanwhile_can_be_spent_at_once(
    store: PonyTransactions, charge: ChargeUsage
) -> None:
    with pytest.raises(InsufficientCreditsError):
        charge.authorize("wallet-1", ceiling=Credits(150), reference="call-1")

    give(store, 50, reference="gift")

    assert charge.authorize("wallet-1", ceiling=Credits(150), reference="call-2").hold.is_open
    assert wallet(store) == (Credits(150), Credits(150))


def test_credits_set_free_meanwhile_can_be_spent_at_once(url: str, charge: ChargeUsage) -> None:
    hold = charge.authorize("wallet-1", ceiling=Credits(60), reference="call-1").hold
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as another:
        settle(another, hold, 0)

    assert charge.authorize("wallet-1", ceiling=Credits(90), reference="call-2").hold.is_open


def test_credits_spent_meanwhile_cannot_be_spent_again(
    url: str, store: PonyTransactions, charge: ChargeUsage
) -> None:
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as another, another.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        reserve(books, 60)
        tx.ledger.write(books)
        tx.commit()

    with pytest.raises(InsufficientCreditsError) as refusal:
        charge.authorize("wallet-1", ceiling=Credits(60), reference="call-2")

    assert refusal.value.available == Credits(40)
    assert wallet(store) == (Credits(100), Credits(60))


@pytest.mark.parametrize(
    "changed",
    [
        "UPDATE virtual_keys SET revoked_at = 1",
        "UPDATE virtual_keys SET expires_at = 1",
        "DELETE FROM virtual_keys",
    ],
)
def test_a_key_that_opens_nothing_any_more_is_refused_at_once(
    url: str, store: PonyTransactions, charge: ChargeUsage, changed: str
) -> None:
    change(url, changed)

    with pytest.raises(KeyRefusedError):
        charge.authorize_key(
            KEY_HASH, ceiling=Ceiling.of(Credits(60)), reference="call-1", call=CALL
        )

    assert wallet(store) == (Credits(100), Credits(0))


def test_a_key_that_opens_again_is_served_at_once(
    url: str, committer: PostgresCommitter, charge: ChargeUsage
) -> None:
    change(url, "UPDATE virtual_keys SET expires_at = 1")

    def call(reference: str) -> Hold:
        return charge.authorize_key(
            KEY_HASH, ceiling=Ceiling.of(Credits(60)), reference=reference, call=CALL
        ).hold

    with pytest.raises(KeyRefusedError):
        call("call-1")
    learn(committer)
    change(url, "UPDATE virtual_keys SET expires_at = NULL")

    assert call("call-2").is_open


def test_a_key_that_moved_spends_from_its_new_wallet(
    url: str, store: PonyTransactions, charge: ChargeUsage
) -> None:
    a_wallet(store, posted=500, wallet_id="wallet-2")
    change(url, "UPDATE virtual_keys SET wallet_id = 'wallet-2'")

    admission = charge.authorize_key(
        KEY_HASH, ceiling=Ceiling.of(Credits(60)), reference="call-1", call=CALL
    )

    assert admission.hold.wallet_id == "wallet-2"
    assert wallet(store) == (Credits(100), Credits(0))


@pytest.mark.parametrize("amount", [10, 60], ids=["affordable", "refused by now"])
def test_a_call_that_was_admitted_before_is_found_and_not_held_again(
    store: PonyTransactions, charge: ChargeUsage, amount: int
) -> None:
    first = charge.authorize("wallet-1", ceiling=Credits(amount), reference="call-1")

    again = charge.authorize("wallet-1", ceiling=Credits(amount), reference="call-1")

    assert again.hold == first.hold
    assert wallet(store) == (Credits(100), Credits(amount))


def test_a_call_that_was_voided_meanwhile_holds_nothing(
    store: PonyTransactions, committer: PostgresCommitter
) -> None:
    with pytest.raises(StoreBusyError), committer.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, new_references={"call-1"}))
        reserve(books, 60)
        tx.ledger.write(books)
        # The caller was told that it is unknown, and has undone it, before this gets there.
        with store.begin() as other:
            read = other.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"}))
            read.void("call-1", "wallet-1", call=CALL, at=NOON)
            other.ledger.write(read)
            other.commit()
        tx.commit()

    assert wallet(store) == (Credits(100), Credits(0))
    assert AuditBooks(transactions=store).audit().clean


def test_a_refusal_is_proved_too(store: PonyTransactions, committer: PostgresCommitter) -> None:
    with pytest.raises(StoreBusyError), committer.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        give(store, 50, reference="gift")
        with pytest.raises(InsufficientCreditsError):
            reserve(books, 150)
        tx.ledger.write(books)
        tx.commit()


def test_a_transaction_locks_once(committer: PostgresCommitter) -> None:
    with committer.begin() as tx:
        tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        with pytest.raises(RuntimeError):
            tx.ledger.lock(Footprint(wallet_ids={"wallet-2"}))


# -- under lock -------------------------------------------------------------------------


def test_it_waits_for_a_wallet_and_then_notices_what_became_of_it(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    def spend() -> None:
        with committer.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
            reserve(books, 60)
            tx.ledger.write(books)
            tx.commit()

    with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(1) as threads:
        other.cursor().execute("UPDATE wallets SET posted = 70 WHERE id = 'wallet-1'")
        waiting = threads.submit(spend)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        other.commit()
        assert isinstance(waiting.exception(60), StoreBusyError)

    assert wallet(store) == (Credits(70), Credits(0))
    assert not remembers(committer)


def test_remembered_wallets_are_locked_in_the_order_of_their_ids(
    url: str, store: PonyTransactions
) -> None:
    # Later ids first, so that no other order comes about by chance.
    names = [f"wallet-{number}" for number in range(9, 0, -1)]
    for name in names:
        a_wallet(store, wallet_id=name)

    def lock_all() -> bool:
        with committer.begin() as tx:
            tx.ledger.lock(Footprint(wallet_ids=names))
            known = tx.connection.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
            tx.commit()
        return bool(known)

    with (
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer,
        closing(psycopg2.connect(url)) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        assert [lock_all(), lock_all()] == [False, True]
        cursor = other.cursor()
        cursor.execute("SELECT 1 FROM wallets WHERE id = 'wallet-1' FOR UPDATE")
        waiting = threads.submit(lock_all)
        wait_until(lambda: somebody_waits_for_a_lock(url))
        # It waits for the first and has not taken any other yet.
        cursor.execute("SELECT 1 FROM wallets WHERE id > 'wallet-1' FOR UPDATE NOWAIT")
        other.rollback()
        assert waiting.result(60)


def test_processes_and_pages_that_share_a_wallet_never_overdraw_it(
    url: str, store: PonyTransactions, committer: PostgresCommitter
) -> None:
    clock = SystemClock()
    with (
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as another,
        GroupCommit(transactions=committer, clock=clock) as one_process,
        GroupCommit(transactions=another, clock=clock) as another_process,
    ):
        charges = [
            ChargeUsage(commits=commits, transactions=store, clock=clock)
            for commits in (one_process, another_process)
        ]

        def spend(number: int) -> int:
            """Try to spend twice what there is, one credit a call; return what was charged."""
            if number == 0:
                give(store, 20, reference="gift")
            charged = 0
            for step in range(40):
                try:
                    hold = (
                        charges[number % 2]
                        .authorize(
                            "wallet-1", ceiling=Credits(2), reference=f"call-{number}-{step}"
                        )
                        .hold
                    )
                except InsufficientCreditsError:
                    continue
                charged += charges[number % 2].settle(hold, Credits(1)).charged.microcredits
            return charged

        outcomes = at_once(6, spend)

    errors = [outcome for outcome in outcomes if not isinstance(outcome, int)]
    posted, held = wallet(store)
    assert errors == []
    assert posted.microcredits == 120 - sum(
        outcome for outcome in outcomes if isinstance(outcome, int)
    )
    assert held == Credits(0)


# -- what a limited key has used ------------------------------------------------------------------


@pytest.mark.parametrize(("spent", "admitted"), [(0, True), (25, False)])
def test_a_remembered_counter_is_proved_before_it_admits_or_refuses(
    url: str,
    store: PonyTransactions,
    committer: PostgresCommitter,
    charge: ChargeUsage,
    spent: int,
    *,
    admitted: bool,
) -> None:
    limits = KeyLimits(spend=SpendLimit(credits=Credits(30)))
    with store.begin() as tx:
        key = tx.keys.lock("key-1", owner_id="owner-of-wallet-1").changed(limits=limits)
        tx.keys.save(key)
        tx.keys.set_counter(
            KeyCounter(id="key-1", wallet_id="wallet-1", since=NOON, limit=Credits(30))
        )
        tx.commit()
    used = 0 if not admitted else 20
    hold = charge.authorize_key(
        KEY_HASH, ceiling=Ceiling.of(Credits(20)), reference="call-1", call=CALL
    ).hold
    charge.settle(hold, Credits(used))
    learn(committer)

    # As another process left it, which gave the wallet back what it took.
    change(url, f"UPDATE key_counters SET spent = {spent} WHERE id = 'key-1'")  # noqa: S608

    def ask() -> bool:
        try:
            charge.authorize_key(
                KEY_HASH, ceiling=Ceiling.of(Credits(15)), reference="call-2", call=CALL
            )
        except InsufficientCreditsError:
            return False
        return True

    assert ask() is admitted


CHANGES_OF_A_COUNTER = (
    "since = since + 1",
    "spent = spent + 1",
    "held = held + 1",
    "open_calls = open_calls + 1",
    "raised = 1",
    "spend_limit = 31",
    "spend_limit = NULL",
    "period = 'day'",
    "zone = 'Africa/Nairobi'",
)


@pytest.mark.usefixtures("committer")
def test_a_remembered_counter_is_not_written_over_any_other_change(
    url: str, store: PonyTransactions
) -> None:
    limits = KeyLimits(spend=SpendLimit(credits=Credits(30)))
    counter = KeyCounter(id="key-1", wallet_id="wallet-1", since=NOON, limit=Credits(30))
    with store.begin() as tx:
        tx.keys.save(tx.keys.lock("key-1", owner_id="owner-of-wallet-1").changed(limits=limits))
        tx.commit()

    def is_written_over(changed: str) -> bool:
        with store.begin() as tx:
            tx.keys.set_counter(counter)
            tx.commit()
        with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
            learn(committer)
            with committer.begin() as tx:
                books = tx.ledger.lock(Footprint(key_hashes={KEY_HASH}))
                assert books.counters == {"key-1": counter}
                reserve(books, 10, caller=books.keys[KEY_HASH])
                tx.ledger.write(books)
                change(url, f"UPDATE key_counters SET {changed} WHERE id = 'key-1'")  # noqa: S608
                try:
                    tx.commit()
                except StoreBusyError:
                    return False
        return True

    assert list(filter(is_written_over, CHANGES_OF_A_COUNTER)) == []
    assert wallet(store) == (Credits(100), Credits(0))
