"""Holding credits, and settling: the use case, over a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore.domain.errors import (
    HoldNotFoundError,
    InsufficientCreditsError,
    WalletNotFoundError,
)
from creditcore.domain.holds import Hold, HoldState
from creditcore.domain.money import ZERO, Credits
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.system import SystemClock
from creditcore.testing.contracts.samples import a_wallet, at_once, grow, settle
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import ChargeUsage


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

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
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

    def test_one_refusal_in_a_batch_harms_no_other(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
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

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
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

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
            admission = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            charge.settle_later(admission.hold, Credits(30))
            commits.flush()

            with transactions.begin() as tx:
                wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.held) == (Credits(970), ZERO)

    def test_what_another_transaction_did_to_a_hold_counts(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
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

    def test_a_hold_that_was_not_made_is_not_settled(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=clock)
            admission = charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            with pytest.raises(HoldNotFoundError):
                charge.settle(replace(admission.hold, reference="never-made"), Credits(30))

    def test_a_hold_left_behind_expires_with_an_alert(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        clock = SystemClock()

        with GroupCommit(transactions=books, clock=clock) as commits:
            charge = ChargeUsage(
                commits=commits, transactions=transactions, clock=clock, lifetime=timedelta(0)
            )
            charge.authorize("wallet-1", ceiling=Credits(100), reference="call-1")
            expired = charge.expire()
            again = charge.expire()

        assert (expired, again) == (1, 0)
        with transactions.begin() as tx:
            assert tx.ledger.find_wallet("wallet-1").available == Credits(1000)
            assert tx.calls.find("call-1", wallet_id="wallet-1").state is HoldState.EXPIRED
            assert [alert.key for alert in tx.alerts.recent(limit=10)] == ["expired:call-1"]
