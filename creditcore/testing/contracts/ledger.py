"""Wallets, holds and transfers."""

from __future__ import annotations

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.errors import (
    InsufficientCreditsError,
    KeyRefusedError,
    ReferenceConflictError,
    WalletNotFoundError,
)
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.contracts.holds import HoldsContract
from creditcore.testing.contracts.samples import (
    MINUTE,
    NOON,
    a_key,
    a_wallet,
    admit,
    at_once,
    settle,
)


class LedgerContract(HoldsContract):
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

    def test_credits_that_were_never_granted_are_not_stored(
        self, transactions: Transactions
    ) -> None:
        with pytest.raises(ValueError, match="empty"), transactions.begin() as tx:
            tx.ledger.add_wallet(Wallet(id="b", owner_id="b", posted=Credits.of(7)))

    def test_a_missing_wallet_is_named(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            with pytest.raises(WalletNotFoundError):
                tx.ledger.find_wallet("nobody")
            with pytest.raises(WalletNotFoundError):
                tx.ledger.find_wallet_of("nobody")
            assert tx.ledger.lock(Footprint(wallet_ids={"nobody"})).wallets == {}

    def test_uncommitted_work_is_forgotten(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        with books.begin() as tx:
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            assert tx.ledger.lock(Footprint(hold_references={"call-1"})).holds == {}
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
                locked = tx.ledger.lock(
                    Footprint(wallet_ids={"wallet-1"}, transfer_references={"gift-2"})
                )
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            locked = tx.ledger.lock(Footprint(key_hashes={key.key_hash, b"unknown" * 4}))

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
