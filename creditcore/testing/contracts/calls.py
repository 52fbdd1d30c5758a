"""Calls, to be read."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import HoldNotFoundError
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_wallet, admit, settle


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

    def test_calls_are_read_in_the_order_in_which_they_ended(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        holds = [admit(transactions, 10, reference=f"call-{number}") for number in range(5)]
        for number, hold in enumerate(holds[:4]):
            # Two at the same instant, told apart by their names.
            settle(transactions, hold, 3, at=NOON + MINUTE * (number // 2))

        with transactions.begin() as tx:
            found = tx.calls.find_all(["call-0", "call-4", "call-9"])
            first = tx.calls.closed_after(NOON, "", before=NOON + 2 * MINUTE, limit=3)
            assert first[-1].closed_at is not None
            rest = tx.calls.closed_after(
                first[-1].closed_at, first[-1].reference, before=NOON + 2 * MINUTE, limit=3
            )
            early = tx.calls.closed_after(NOON, "", before=NOON + MINUTE, limit=9)

        assert set(found) == {"call-0", "call-4"}
        assert [hold.reference for hold in first] == ["call-0", "call-1", "call-2"]
        assert [hold.reference for hold in rest] == ["call-3"]
        assert [hold.reference for hold in early] == ["call-0", "call-1"]
