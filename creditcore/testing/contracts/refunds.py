"""Refunds, and what wallets owe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.errors import (
    CreditcoreError,
    InsufficientCreditsError,
    ReferenceConflictError,
)
from creditcore.domain.ledger import PlatformAccount, TransferKind, grant
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.refund_book import RefundBook
from creditcore.domain.refunds import Refund, RefundKind, RefundState, reverse
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.contracts.samples import (
    MINUTE,
    NOON,
    a_purchase,
    a_wallet,
    admit,
    at_once,
    settle,
)
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import ChargeUsage


class RefundsContract:
    """Money that goes back, stored with what it takes along."""

    @pytest.fixture
    def books(self, transactions: Transactions) -> BooksTransactions:
        """Where money steps find their transactions, if elsewhere than everything else."""
        return transactions

    def test_a_refund_comes_back_as_it_was_saved(self, transactions: Transactions) -> None:
        refund = _stored(transactions)
        changed = replace(
            refund,
            state=RefundState.PROCESSED,
            amount=Money(400, "KES"),
            credits=Credits(7),
            provider_id="8",
            turns=2,
            updated_at=NOON + MINUTE,
        )

        with transactions.begin() as tx:
            assert list(tx.refunds.of("cc-1")) == [refund]
            tx.refunds.save(changed)
            tx.commit()

        with transactions.begin() as tx:
            assert list(tx.refunds.of("cc-1")) == [changed]
            assert list(tx.refunds.of("cc-2")) == []

    def test_a_number_of_the_provider_belongs_to_one_refund(
        self, transactions: Transactions
    ) -> None:
        refund = _stored(transactions)
        dispute = replace(refund, id="rf-2", kind=RefundKind.DISPUTE)
        unheard = [replace(refund, id=f"rf-{n}", provider_id="") for n in (3, 4)]
        with transactions.begin() as tx:
            for other in (dispute, *unheard):
                tx.refunds.save(other)
            tx.commit()

        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.refunds.save(replace(refund, id="rf-5"))
            tx.commit()

    def test_what_is_under_way_is_found(self, transactions: Transactions) -> None:
        pending = _stored(transactions)
        requested = replace(pending, id="rf-2", provider_id="", state=RefundState.REQUESTED)
        ended = replace(pending, id="rf-3", provider_id="9", state=RefundState.PROCESSED)
        later = replace(requested, id="rf-4", updated_at=NOON + MINUTE)
        with transactions.begin() as tx:
            for refund in (requested, ended, later):
                tx.refunds.save(refund)
            tx.commit()

        with transactions.begin() as tx:
            assert list(tx.refunds.under_way(updated_before=NOON, limit=9)) == [pending, requested]
            assert list(tx.refunds.under_way(updated_before=NOON + MINUTE, limit=9)) == [
                pending,
                requested,
                later,
            ]
            assert len(tx.refunds.under_way(updated_before=NOON + MINUTE, limit=1)) == 1

    def test_a_debt_blocks_the_wallet_until_it_is_paid(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)
        _owe(books, 70)

        with transactions.begin() as tx:
            owing = tx.ledger.find_wallet("wallet-1")
        assert (owing.posted, owing.available, owing.owed) == (Credits(60), ZERO, Credits(30))
        with pytest.raises(InsufficientCreditsError):
            admit(books, 1, reference="call-2")

        settle(books, hold, 40)
        with transactions.begin() as tx:
            freed = tx.ledger.find_wallet("wallet-1")
        assert (freed.posted, freed.owed) == (ZERO, Credits(10)), "what is freed pays first"

        _give(books, 15)
        assert admit(books, 5, reference="call-3").amount == Credits(5)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").owed == ZERO
            assert not tx.audit.breaches("I1", limit=9)
            assert not tx.audit.breaches("I9", limit=9)

    def test_what_was_remembered_of_a_wallet_is_not_believed_after_a_refund(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        clock = FixedClock(NOON)
        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
            admission = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")

            # Nothing is available, so that posted and held stay as they were.
            _owe(transactions, 50)
            charge.settle(admission.hold, ZERO)

        with transactions.begin() as tx:
            wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.owed) == (Credits(50), ZERO)

    def test_refunds_at_once_take_no_more_than_there_was(self, transactions: Transactions) -> None:
        purchase = replace(a_purchase(a_wallet(transactions, posted=7)), paid=Money(1000, "KES"))
        with transactions.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()

        def refund(number: int) -> None:
            with transactions.begin() as tx:
                locked = tx.purchases.lock("cc-1")
                book = RefundBook(
                    purchase=locked,
                    refunds={row.id: row for row in tx.refunds.of("cc-1")},
                    books=tx.ledger.lock(Footprint(wallet_ids={"wallet-1"})),
                    at=NOON,
                )
                tx.refunds.save(book.request(f"rf-{number}", Money(300, "KES"), reason="test"))
                tx.commit()

        outcomes = at_once(6, refund)

        assert sum(outcome is None for outcome in outcomes) == 3
        assert all(o is None or isinstance(o, CreditcoreError) for o in outcomes)


def _stored(transactions: Transactions) -> Refund:
    purchase = a_purchase(a_wallet(transactions))
    refund = Refund(
        id="rf-1",
        purchase="cc-1",
        wallet_id="wallet-1",
        amount=Money(500, "KES"),
        state=RefundState.PENDING,
        credits=Credits(9),
        provider_id="7",
        reason="asked for it",
        by_provider=True,
        turns=1,
        created_at=NOON,
        updated_at=NOON,
    )
    with transactions.begin() as tx:
        tx.purchases.add(purchase)
        tx.refunds.save(refund)
        tx.commit()
    return refund


def _owe(books: BooksTransactions, amount: int) -> None:
    with books.begin() as tx:
        locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        locked.post(
            reverse(locked.wallet("wallet-1"), Credits(amount), reference="x", at=NOON, note="")
        )
        tx.ledger.write(locked)
        tx.commit()


def _give(books: BooksTransactions, amount: int) -> None:
    gift = grant(
        "wallet-1",
        Credits(amount),
        source=PlatformAccount.BONUS,
        kind=TransferKind.GRANT,
        reference="later gift",
        at=NOON,
    )
    with books.begin() as tx:
        locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        locked.post([gift])
        tx.ledger.write(locked)
        tx.commit()
