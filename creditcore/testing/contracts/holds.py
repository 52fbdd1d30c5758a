"""Holds, from the admission of a call to its settlement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.counting import Because, Counted
from creditcore.domain.errors import (
    ReferenceConflictError,
    StoreBusyError,
)
from creditcore.domain.holds import Basis, Call, HoldState, Outcome
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling, Usage
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing.contracts.samples import (
    MINUTE,
    NOON,
    a_wallet,
    admit,
    grow,
    settle,
)


class HoldsContract:
    """Holds; ``LedgerContract`` has the fixtures."""

    def test_a_hold_comes_back_as_it_was_stored(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        hold = admit(books, 60)

        with transactions.begin() as tx:
            assert tx.ledger.lock(Footprint(hold_references={"call-1"})).holds == {"call-1": hold}
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
                units=3,
            ),
            counted=Counted(Because.NOT_REPORTED, Because.CLIENT_LEFT),
            provider_cost_picodollars=2**50,
            reported_cost_picodollars=2**50 + 1,
            status=200,
            error="late",
            latency_ms=12,
            first_byte_ms=3,
        )

        closed = settle(books, hold, 25, outcome=outcome)

        with transactions.begin() as tx:
            assert tx.ledger.lock(Footprint(hold_references={"call-1"})).holds == {"call-1": closed}
            assert tx.ledger.find_wallet("wallet-1") == Wallet(
                id="wallet-1", owner_id="owner-of-wallet-1", posted=Credits(75)
            )
        assert (closed.state, closed.charged, closed.outcome) == (
            HoldState.SETTLED,
            Credits(25),
            outcome,
        )

    def test_a_hold_that_was_never_open_comes_back_as_it_was_stored(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)

        with books.begin() as tx:
            locked = tx.ledger.lock(
                Footprint(wallet_ids={"wallet-1"}, new_references={"void", "call-1"})
            )
            locked.void("void", "wallet-1", call=Call("demo"), at=NOON)
            locked.admit(
                "wallet-1",
                Ceiling.of(Credits(60)),
                reference="call-1",
                call=Call("demo"),
                now=NOON,
                lifetime=MINUTE,
            )
            locked.settle("call-1", Credits(25), at=NOON, outcome=Outcome(status=200))
            tx.ledger.write(locked)
            tx.commit()

        assert not any(hold.is_open for hold in locked.new_holds.values())
        with transactions.begin() as tx:
            names = Footprint(hold_references={"void", "call-1"})
            assert tx.ledger.lock(names).holds == locked.new_holds
            wallet = tx.ledger.find_wallet("wallet-1")
        assert (wallet.posted, wallet.held) == (Credits(75), ZERO)

    @pytest.mark.parametrize("made_by", [None, "repeat-1"])
    @pytest.mark.parametrize("given_up", [None, "repeat-1", "repeat-2"])
    def test_voiding_a_request_leaves_the_hold_of_another_alone(
        self,
        transactions: Transactions,
        books: BooksTransactions,
        made_by: str | None,
        given_up: str | None,
    ) -> None:
        a_wallet(transactions, posted=100)
        with books.begin() as tx:
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, new_references={"call-1"}))
            locked.admit(
                "wallet-1",
                Ceiling.of(Credits(60)),
                reference="call-1",
                call=Call("demo", repeat_id=made_by),
                now=NOON,
                lifetime=MINUTE,
            )
            tx.ledger.write(locked)
            tx.commit()

        with books.begin() as tx:
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"}))
            # At the same instant: hosts have clocks of their own.
            locked.void("call-1", "wallet-1", call=Call("demo", repeat_id=given_up), at=NOON)
            tx.ledger.write(locked)
            tx.commit()

        with transactions.begin() as tx:
            hold = tx.calls.find("call-1", wallet_id="wallet-1")
            assert tx.ledger.find_wallet("wallet-1").held == Credits(60 * hold.is_open)
        assert hold.is_open is (made_by != given_up)

    def test_a_hold_is_read_with_its_wallet_and_without(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        a_wallet(transactions, posted=100)
        hold = admit(books, 60)

        for wallet_ids in ({"wallet-1"}, set[str]()):
            with books.begin() as tx:
                locked = tx.ledger.lock(
                    Footprint(wallet_ids=wallet_ids, hold_references={"call-1", "never-made"})
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
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
            moved = tx.ledger.lock(Footprint(transfer_references={"charge:call-1"})).transfers
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
            locked = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"}))
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
