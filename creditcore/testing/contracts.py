"""What every adapter of a port promises, as tests.

Subclass a contract in a test module and give it a ``transactions`` fixture: an empty
store. Where money steps take another way into that store, give it a ``books`` fixture
too. These pass on memory, SQLite and PostgreSQL; run them on a store of your own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import (
    ApiKeyNotFoundError,
    EmailTakenError,
    HoldNotFoundError,
    InsufficientCreditsError,
    KeyRefusedError,
    PurchaseNotFoundError,
    ReferenceConflictError,
    StoreBusyError,
    WalletNotFoundError,
)
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import ZERO, Credits, ExchangeRate, Money
from creditcore.domain.people import Person, Role
from creditcore.domain.pricing import Ceiling, ModelPrice, Rates, Tier, Usage
from creditcore.domain.purchases import Offer, Purchase, PurchaseState
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.system import SystemClock
from creditcore.usecases.charge_usage import ChargeUsage
from creditcore.usecases.group_commit import GroupCommit

NOON = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_wallet(transactions: Transactions, *, posted: int = 0, wallet_id: str = "wallet-1") -> Wallet:
    """Store a wallet with credits that were granted to it."""
    wallet = Wallet(id=wallet_id, owner_id=f"owner-of-{wallet_id}")
    with transactions.begin() as tx:
        tx.ledger.add_wallet(wallet)
        tx.commit()
    if posted:
        gift = grant(
            wallet_id,
            Credits(posted),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference=f"gift:{wallet_id}",
            at=NOON,
        )
        with transactions.begin() as tx:
            books = tx.ledger.lock(wallet_ids={wallet_id})
            books.post((gift,))
            tx.ledger.write(books)
            tx.commit()
    with transactions.begin() as tx:
        return tx.ledger.find_wallet(wallet_id)


def a_key(wallet: Wallet, *, key_id: str = "key-1", key_hash: bytes = b"h" * 32) -> ApiKey:
    """Return a key of a wallet's owner."""
    return ApiKey(
        id=key_id,
        wallet_id=wallet.id,
        owner_id=wallet.owner_id,
        name="laptop",
        prefix="sk-cc-abcd",
        last_four="wxyz",
        key_hash=key_hash,
        created_at=NOON,
    )


def a_purchase(wallet: Wallet, *, reference: str = "cc-1") -> Purchase:
    """Return a pending purchase in KES."""
    return Purchase(
        reference=reference,
        owner_id=wallet.owner_id,
        wallet_id=wallet.id,
        email="amina@example.com",
        offer=Offer(
            value=Money(1000, "USD"),
            price=Money(129000, "KES"),
            rate=ExchangeRate(129, 1, "USD", "KES"),
            sold=Credits.of(1000),
            bonus=Credits.of(1000),
        ),
        created_at=NOON,
        expires_at=NOON + MINUTE,
    )


def admit(
    transactions: BooksTransactions,
    amount: int,
    *,
    reference: str = "call-1",
    wallet_id: str = "wallet-1",
) -> Hold:
    """Hold credits in a transaction of its own."""
    with transactions.begin() as tx:
        books = tx.ledger.lock(wallet_ids={wallet_id}, hold_references={reference})
        admission = books.admit(
            wallet_id,
            Ceiling.of(Credits(amount)),
            reference=reference,
            call=Call(
                model="demo",
                endpoint="/v1/chat/completions",
                stream=True,
                prompt_bound=7,
                price_snapshot="0123456789abcdef",
                multiplier="2.3",
            ),
            now=NOON,
            lifetime=MINUTE,
        )
        tx.ledger.write(books)
        tx.commit()
    return admission.hold


def grow(transactions: BooksTransactions, hold: Hold, amount: int) -> Hold:
    """Grow a hold in a transaction of its own."""
    with transactions.begin() as tx:
        books = tx.ledger.lock(wallet_ids={hold.wallet_id}, hold_references={hold.reference})
        extension = books.extend(hold.reference, Ceiling.of(Credits(amount)), output_bound=0)
        tx.ledger.write(books)
        tx.commit()
    return extension.hold


def settle(
    transactions: BooksTransactions, hold: Hold, cost: int, *, outcome: Outcome | None = None
) -> Hold:
    """Close a hold in a transaction of its own."""
    with transactions.begin() as tx:
        books = tx.ledger.lock(wallet_ids={hold.wallet_id}, hold_references={hold.reference})
        closed = books.settle(hold.reference, Credits(cost), at=NOON + MINUTE, outcome=outcome)
        tx.ledger.write(books)
        tx.commit()
    return closed


def at_once(number: int, work: Callable[[int], object]) -> list[object]:
    """Run work in threads that start together; return results and errors alike."""
    gate = threading.Barrier(number)

    def run(index: int) -> object:
        gate.wait()
        try:
            return work(index)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(run, range(number)))


class LedgerContract:
    """Wallets, holds and transfers."""

    @pytest.fixture
    def books(self, transactions: Transactions) -> BooksTransactions:
        """Where money steps find their transactions, if elsewhere than everything else."""
        return transactions

    def test_a_wallet_comes_back_as_it_was_stored(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions, posted=5_000_000_000_000)

        assert wallet.posted == Credits(5_000_000_000_000)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet_of(wallet.owner_id) == wallet

    def test_an_owner_has_one_wallet(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions)

        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.ledger.add_wallet(Wallet(id="another", owner_id=wallet.owner_id))
            tx.commit()

    def test_a_missing_wallet_is_named(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            with pytest.raises(WalletNotFoundError):
                tx.ledger.find_wallet("nobody")
            with pytest.raises(WalletNotFoundError):
                tx.ledger.find_wallet_of("nobody")
            assert tx.ledger.lock(wallet_ids={"nobody"}).wallets == {}

    def test_uncommitted_work_is_forgotten(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.admit(
                "wallet-1",
                Ceiling.of(Credits(60)),
                reference="call-1",
                call=None,
                now=NOON,
                lifetime=MINUTE,
            )
            tx.ledger.write(locked)

        with transactions.begin() as tx:
            assert tx.ledger.lock(hold_references={"call-1"}).holds == {}
            assert tx.ledger.find_wallet("wallet-1").held == ZERO

    def test_an_error_forgets_the_transaction(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=100)

        with pytest.raises(ZeroDivisionError), transactions.begin() as tx:
            tx.ledger.add_wallet(Wallet(id="wallet-2", owner_id="somebody"))
            raise ZeroDivisionError

        with transactions.begin() as tx, pytest.raises(WalletNotFoundError):
            tx.ledger.find_wallet("wallet-2")

    def test_transactions_do_not_nest(self, transactions: Transactions) -> None:
        with transactions.begin(), pytest.raises(RuntimeError), transactions.begin():
            pass

    def test_a_hold_comes_back_as_it_was_stored(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        hold = admit(books, 60)

        with transactions.begin() as tx:
            assert tx.ledger.lock(hold_references={"call-1"}).holds == {"call-1": hold}
            assert tx.ledger.find_wallet("wallet-1").available == Credits(40)

    def test_a_settled_hold_comes_back_with_its_outcome(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)
        outcome = Outcome(
            basis=Basis.PROVIDER_USAGE,
            usage=Usage(
                prompt_tokens=2**40,
                completion_tokens=6,
                cached_tokens=1,
                cache_write_tokens=3,
                cache_write_1h_tokens=2,
                reasoning_tokens=5,
            ),
            provider_cost_picodollars=2**50,
            status=200,
            error="late",
            latency_ms=12,
            first_byte_ms=3,
        )

        closed = settle(books, hold, 25, outcome=outcome)

        with transactions.begin() as tx:
            assert tx.ledger.lock(hold_references={"call-1"}).holds == {"call-1": closed}
            assert tx.ledger.find_wallet("wallet-1") == Wallet(
                id="wallet-1", owner_id="owner-of-wallet-1", posted=Credits(75)
            )
        assert (closed.state, closed.charged, closed.outcome) == (
            HoldState.SETTLED,
            Credits(25),
            outcome,
        )

    def test_a_hold_is_read_with_its_wallet_and_without(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        for wallet_ids in ({"wallet-1"}, set[str]()):
            with books.begin() as tx:
                locked = tx.ledger.lock(
                    wallet_ids=wallet_ids, hold_references={"call-1", "never-made"}
                )
            assert locked.holds == {"call-1": hold}

    def test_a_hold_that_is_not_as_it_was_is_not_written(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        admit(books, 60, reference="call-2")
        hold = admit(books, 60)
        settle(books, hold, 25)

        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.holds["call-1"] = hold
            locked.settle("call-1", Credits(60), at=NOON)
            with pytest.raises(StoreBusyError):
                tx.ledger.write(locked)
                tx.commit()

        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(975)

    def test_a_hold_that_grew_meanwhile_is_not_written(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)
        grow(books, hold, 80)

        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.holds["call-1"] = hold
            locked.settle("call-1", ZERO, at=NOON)
            with pytest.raises(StoreBusyError):
                tx.ledger.write(locked)
                tx.commit()

        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").held == Credits(80)

    def test_a_hold_whose_name_was_taken_meanwhile_is_not_written(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.new_holds["call-1"] = hold
            with pytest.raises((ReferenceConflictError, StoreBusyError)):
                tx.ledger.write(locked)
                tx.commit()

    def test_a_hold_grows_as_far_as_its_wallet_affords(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        grow(books, hold, 1000)

        with transactions.begin() as tx:
            grown = tx.calls.find("call-1", wallet_id="wallet-1")
            assert grown == replace(hold, amount=Credits(100))
            assert tx.ledger.find_wallet("wallet-1").available == ZERO

    def test_settling_twice_charges_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        first = settle(books, hold, 25)
        again = settle(books, hold, 40)

        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(75)
            moved = tx.ledger.lock(transfer_references={"charge:call-1"}).transfers
        assert again == first
        assert moved["charge:call-1"].amount == Credits(25)

    def test_cost_beyond_the_hold_is_written_off(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        closed = settle(books, hold, 61)

        assert (closed.charged, closed.written_off) == (Credits(60), Credits(1))
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(40)
            [alert] = tx.alerts.recent(limit=10)
        assert "call-1" in alert.message

    def test_a_cost_that_comes_after_the_release_is_written_off_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)
        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"}, hold_references={"call-1"})
            locked.settle("call-1", ZERO, at=NOON, closing=HoldState.EXPIRED)
            tx.ledger.write(locked)
            tx.commit()

        settle(books, hold, 30)
        late = settle(books, hold, 30)

        assert (late.state, late.charged, late.written_off) == (
            HoldState.EXPIRED,
            ZERO,
            Credits(30),
        )
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").available == Credits(100)

    def test_a_transfer_moves_credits_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        gift = grant(
            "wallet-1",
            Credits(7),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference="gift-2",
            at=NOON,
            note="thanks",
        )

        for _ in range(2):
            with books.begin() as tx:
                locked = tx.ledger.lock(wallet_ids={"wallet-1"}, transfer_references={"gift-2"})
                locked.post((gift,))
                tx.ledger.write(locked)
                tx.commit()

        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(107)
            assert gift in tx.ledger.transfers_of("wallet-1", limit=10)

    def test_a_reference_that_was_not_looked_up_still_moves_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        gift = grant(
            "wallet-1",
            Credits(7),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference="gift:wallet-1",
            at=NOON,
        )

        with pytest.raises(ReferenceConflictError), books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.post((gift,))
            tx.ledger.write(locked)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(100)

    def test_history_is_newest_first_and_without_calls(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        settle(books, admit(books, 10), 25)
        gifts = [
            grant(
                "wallet-1",
                Credits(7),
                source=PlatformAccount.BONUS,
                kind=TransferKind.GRANT,
                reference=f"gift-{minutes}",
                at=NOON + minutes * MINUTE,
            )
            for minutes in (2, 1)
        ]
        with books.begin() as tx:
            locked = tx.ledger.lock(wallet_ids={"wallet-1"})
            locked.post(gifts)
            tx.ledger.write(locked)
            tx.commit()

        with transactions.begin() as tx:
            everything = tx.ledger.transfers_of("wallet-1", limit=10)
            latest = tx.ledger.transfers_of("wallet-1", limit=2)
        assert [row.reference for row in everything] == ["gift-2", "gift-1", "gift:wallet-1"]
        assert latest == everything[:2]

    def test_overdue_holds_are_found_oldest_first(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        first = admit(books, 10, reference="call-1")
        admit(books, 10, reference="call-2")
        settle(books, admit(books, 10, reference="call-3"), 1)

        with transactions.begin() as tx:
            early = tx.ledger.expired_holds(now=NOON, limit=10)
            overdue = tx.ledger.expired_holds(now=NOON + MINUTE, limit=10)
            oldest = tx.ledger.expired_holds(now=NOON + MINUTE, limit=1)
        assert early == []
        assert {hold.reference for hold in overdue} == {"call-1", "call-2"}
        assert len(oldest) == 1
        assert first in overdue

    def test_a_key_brings_its_wallet_into_the_books(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=100)
        key = a_key(wallet)
        with transactions.begin() as tx:
            tx.keys.add(key)
            tx.commit()

        with books.begin() as tx:
            locked = tx.ledger.lock(key_hashes={key.key_hash, b"unknown" * 4})

        assert locked.key(key.key_hash, now=NOON) == key
        assert locked.wallets == {"wallet-1": wallet}
        with pytest.raises(KeyRefusedError):
            locked.key(b"unknown" * 4, now=NOON)

    def test_concurrent_holds_never_exceed_the_wallet(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        outcomes = at_once(20, lambda index: admit(books, 10, reference=f"call-{index}"))

        held = [outcome for outcome in outcomes if isinstance(outcome, Hold)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCreditsError)]
        assert (len(held), len(refused)) == (10, 10)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").held == Credits(100)

    def test_concurrent_settlements_of_one_hold_charge_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        outcomes = at_once(8, lambda index: settle(books, hold, 10 + index))

        charges = {outcome.charged for outcome in outcomes if isinstance(outcome, Hold)}
        assert len(charges) == 1
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").posted == Credits(100) - charges.pop()


class ChargeUsageContract:
    """Holding and settling through a group commit on this store."""

    @pytest.fixture
    def books(self, transactions: Transactions) -> BooksTransactions:
        """Where money steps find their transactions, if elsewhere than everything else."""
        return transactions

    def test_two_hundred_callers_and_credits_for_ten(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            outcomes = at_once(
                200,
                lambda index: charge.authorize(
                    "wallet-1", ceiling=Credits(100), reference=f"call-{index}"
                ),
            )

        refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCreditsError)]
        assert (len(outcomes) - len(refused), len(refused)) == (10, 190)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").available == ZERO

    def test_one_refusal_in_a_batch_harms_nobody_else(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            outcomes = at_once(
                10,
                lambda index: charge.authorize(
                    "wallet-1" if index else "nobody",
                    ceiling=Credits(100),
                    reference=f"call-{index}",
                ),
            )

        assert isinstance(outcomes[0], WalletNotFoundError)
        assert not [outcome for outcome in outcomes[1:] if isinstance(outcome, Exception)]

    def test_asking_again_returns_the_first_hold(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            first = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            again = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")

        assert again.hold == first.hold
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").held == Credits(100)

    def test_what_is_settled_later_is_settled(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            admission = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            charge.settle_later(admission.hold, Credits(30))
            commits.flush()

            with transactions.begin() as tx:
                wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.held) == (Credits(970), ZERO)

    def test_what_somebody_else_did_to_a_hold_counts(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            closed, grown, untouched = (
                charge.authorize("wallet-1", ceiling=Credits(100), reference=f"call-{name}").hold
                for name in ("closed", "grown", "untouched")
            )
            settle(books, closed, 30)
            grow(books, grown, 200)
            outcomes = at_once(
                3, lambda index: charge.settle((closed, grown, untouched)[index], Credits(150))
            )

        charges = [hold.charged for hold in outcomes if isinstance(hold, Hold)]
        assert charges == [Credits(30), Credits(150), Credits(100)]
        with transactions.begin() as tx:
            wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.held) == (Credits(720), ZERO)

    def test_a_hold_that_nobody_made_is_not_settled(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock)
            admission = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            with pytest.raises(HoldNotFoundError):
                charge.settle(replace(admission.hold, reference="never-made"), Credits(30))

    def test_a_hold_left_behind_expires_with_an_alert(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(books, clock) as commits:
            charge = ChargeUsage(commits, transactions, clock, lifetime=timedelta(0))
            charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            expired = charge.expire()
            again = charge.expire()

        assert (expired, again) == (1, 0)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").available == Credits(1000)
            assert tx.calls.find("call-1", wallet_id="wallet-1").state is HoldState.EXPIRED
            assert [alert.key for alert in tx.alerts.recent(limit=10)] == ["expired:call-1"]


class ApiKeysContract:
    """API keys."""

    def test_a_key_comes_back_as_it_was_stored(self, transactions: Transactions) -> None:
        key = replace(a_key(a_wallet(transactions)), expires_at=NOON + MINUTE)

        with transactions.begin() as tx:
            tx.keys.add(key)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.keys.find_by_hash(key.key_hash) == key
            assert tx.keys.list_of(key.owner_id) == [key]
            assert tx.keys.list_of("somebody else") == []

    def test_a_hash_is_unique(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions)
        with transactions.begin() as tx:
            tx.keys.add(a_key(wallet))
            tx.commit()

        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.keys.add(a_key(wallet, key_id="key-2"))
            tx.commit()

    def test_only_its_owner_may_change_a_key(self, transactions: Transactions) -> None:
        key = a_key(a_wallet(transactions))
        with transactions.begin() as tx:
            tx.keys.add(key)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ApiKeyNotFoundError):
            tx.keys.lock(key.id, owner_id="somebody else")
        with transactions.begin() as tx:
            tx.keys.save(tx.keys.lock(key.id, owner_id=key.owner_id).revoke(at=NOON))
            tx.commit()
        with transactions.begin() as tx:
            assert tx.keys.list_of(key.owner_id)[0].revoked_at == NOON


class CallsContract:
    """Calls, to be read."""

    def test_calls_are_newest_first_and_only_the_wallets_own(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=100)
        a_wallet(transactions, posted=100, wallet_id="wallet-2")
        hold = admit(transactions, 10, reference="call-1")
        admit(transactions, 10, reference="call-2", wallet_id="wallet-2")

        with transactions.begin() as tx:
            assert tx.calls.recent("wallet-1", limit=10) == [hold]
            assert tx.calls.find("call-1", wallet_id="wallet-1") == hold
            with pytest.raises(HoldNotFoundError):
                tx.calls.find("call-1", wallet_id="wallet-2")


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
            with pytest.raises(PurchaseNotFoundError):
                tx.purchases.find("cc-1")
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


class PeopleContract:
    """Profiles and local passwords."""

    def test_a_person_comes_back_as_stored(self, transactions: Transactions) -> None:
        person = Person(id="p-1", email="amina@example.com", role=Role.ADMIN, created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(person)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.people.find("p-1") == person
            assert tx.people.find_by_email("amina@example.com") == person
            assert tx.people.find("p-2") is None
            assert tx.people.find_by_email("somebody@example.com") is None

    def test_an_address_has_one_account(self, transactions: Transactions) -> None:
        person = Person(id="p-1", email="amina@example.com", created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(person)
            tx.commit()

        with pytest.raises(EmailTakenError), transactions.begin() as tx:
            tx.people.add(replace(person, id="p-2"))
            tx.commit()

    def test_a_password_hash_can_be_replaced(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.people.add(Person(id="p-1", email="amina@example.com", created_at=NOON))
            tx.commit()

        for stored in ("one", "two"):
            with transactions.begin() as tx:
                tx.people.set_password_hash("p-1", stored)
                tx.commit()

        with transactions.begin() as tx:
            assert tx.people.password_hash("p-1") == "two"
            assert tx.people.password_hash("p-2") is None


class PricesContract:
    """The price list."""

    def test_a_new_list_replaces_the_old_one(self, transactions: Transactions) -> None:
        rates = Rates(
            input=15 * 10**22,
            output=10**30,
            cache_read=1,
            cache_write=0,
            cache_write_1h=3,
            reasoning=10**36,
        )
        price = ModelPrice(
            model="claude/sonnet 4.5",
            rates=rates,
            tiers=(Tier(200_000, replace(rates, input=7)),),
            max_input_tokens=200_000,
            max_output_tokens=None,
            mode="chat",
        )
        with transactions.begin() as tx:
            tx.prices.replace_all([replace(price, model="gone"), price], at=NOON)
            tx.commit()

        with transactions.begin() as tx:
            tx.prices.replace_all([price], at=NOON)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.prices.all() == [price]

    def test_a_price_can_be_found_after_it_has_changed(self, transactions: Transactions) -> None:
        rates = Rates(
            input=1, output=2, cache_read=3, cache_write=4, cache_write_1h=5, reasoning=10**36
        )
        old = ModelPrice(model="demo", rates=rates, tiers=(Tier(10, replace(rates, input=9)),))
        new = replace(old, rates=replace(rates, output=7))

        for price in (old, new, new):
            with transactions.begin() as tx:
                tx.prices.replace_all([price], at=NOON)
                tx.commit()

        with transactions.begin() as tx:
            found = tx.prices.find_snapshot(old.snapshot)
            assert tx.prices.find_snapshot("unknown") is None
        assert found is not None
        assert (found.rates, found.tiers) == (old.rates, old.tiers)
        assert new.snapshot != old.snapshot


class AlertsContract:
    """Alerts for the operator."""

    def test_an_alert_is_raised_once(self, transactions: Transactions) -> None:
        alert = Alert(key="k", severity=Severity.CRITICAL, subject="Look", message="here", at=NOON)

        for message in ("here", "there"):
            with transactions.begin() as tx:
                tx.alerts.add(replace(alert, message=message))
                tx.commit()

        with transactions.begin() as tx:
            assert tx.alerts.recent(limit=10) == [alert]


class AuditContract:
    """What the stored books say about the invariants."""

    def test_untouched_books_are_clean(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=100)
        settle(transactions, admit(transactions, 60, reference="call-1"), 25)
        settle(transactions, admit(transactions, 10, reference="call-2"), 25)
        settle(transactions, admit(transactions, 10, reference="call-3"), 0)
        admit(transactions, 5, reference="call-4")

        with transactions.begin() as tx:
            found = {number: tx.audit.breaches(f"I{number}", limit=10) for number in range(1, 9)}
            counts = tx.audit.counts()

        assert {number: list(rows) for number, rows in found.items() if rows} == {}
        assert (counts["wallets"], counts["holds"]) == (1, 4)
