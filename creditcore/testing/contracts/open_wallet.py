"""Opening wallets, once each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.money import Credits
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import a_wallet
from creditcore.usecases.books.open_wallet import OpenWallet


class OpenWalletContract:
    """A wallet is opened once, however often and by however many it is asked for."""

    def test_opening_again_returns_the_wallet_with_what_is_in_it(
        self, transactions: Transactions
    ) -> None:
        opening = OpenWallet(transactions=transactions)
        kept = a_wallet(transactions, posted=100)

        again = opening.open(kept.id, owner_id=kept.owner_id)

        assert again.posted == Credits(100)
        assert opening.open("acme") == opening.open("acme")

    def test_neither_a_wallet_nor_an_owner_is_taken_over(self, transactions: Transactions) -> None:
        opening = OpenWallet(transactions=transactions)
        opening.open("acme", owner_id="amina")

        with pytest.raises(ReferenceConflictError):
            opening.open("acme", owner_id="baraka")
        with pytest.raises(ReferenceConflictError):
            opening.open("another", owner_id="amina")

    def test_callers_at_the_same_time_get_the_same_wallet(self, transactions: Transactions) -> None:
        opening = OpenWallet(transactions=transactions)

        with ThreadPoolExecutor(4) as threads:
            wallets = list(threads.map(opening.open, ["acme"] * 8))

        assert {wallet.id for wallet in wallets} == {"acme"}
