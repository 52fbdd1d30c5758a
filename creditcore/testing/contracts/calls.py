"""Calls, to be read."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import HoldNotFoundError
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import a_wallet, admit


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
