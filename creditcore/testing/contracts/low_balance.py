"""What every store promises of who is told when a wallet runs low."""

from __future__ import annotations

from dataclasses import replace

from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.money import Credits
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON, a_wallet, admit

_CREDIT = 1_000_000


def watching(transactions: Transactions, threshold: int, *, wallet: str) -> LowBalanceWatch:
    """Watch a wallet from now on."""
    watch = LowBalanceWatch(wallet_id=wallet, person_id="amina", threshold=Credits.of(threshold))
    with transactions.begin() as tx:
        tx.low_balance.save(watch)
        tx.commit()
    return watch


class LowBalanceContract:
    """A subclass provides the ``transactions`` fixture."""

    def test_a_watch_comes_back_as_it_was_saved(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions)
        watch = watching(transactions, 100, wallet=wallet.id)
        below = replace(watch, threshold=Credits.of(7), below_since=NOON, crossings=3)
        with transactions.begin() as tx:
            assert tx.low_balance.find(wallet.id) == watch
            assert tx.low_balance.find("nobody's") is None
            assert tx.low_balance.lock("nobody's") is None
            tx.low_balance.save(below)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.low_balance.lock(wallet.id) == below

    def test_wallets_that_crossed_their_threshold_are_found(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=_CREDIT * 100)
        for threshold, is_found in ((101, True), (100, False), (0, False)):
            watching(transactions, threshold, wallet="wallet-1")
            with transactions.begin() as tx:
                assert bool(tx.low_balance.crossed(limit=9)) is is_found
        watching(transactions, 100, wallet="wallet-1")

        admit(transactions, 1)

        with transactions.begin() as tx:
            assert tx.low_balance.crossed(limit=9) == ["wallet-1"]
            assert tx.low_balance.crossed(limit=0) == []

    def test_one_that_was_low_is_found_when_it_is_well_above_again(
        self, transactions: Transactions
    ) -> None:
        for number, posted in ((1, _CREDIT * 120), (2, _CREDIT * 120 + 1)):
            wallet = a_wallet(transactions, posted=posted, wallet_id=f"wallet-{number}")
            watch = watching(transactions, 100, wallet=wallet.id)
            with transactions.begin() as tx:
                tx.low_balance.save(replace(watch, below_since=NOON, crossings=1))
                tx.commit()

        with transactions.begin() as tx:
            assert tx.low_balance.crossed(limit=9) == ["wallet-2"]
