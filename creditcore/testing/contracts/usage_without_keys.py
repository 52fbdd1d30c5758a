"""What was used without a key, by which member of a team."""

from __future__ import annotations

import pytest

from creditcore.domain.usage_hours import HOUR
from creditcore.ports.calls import WantedCalls
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import UsageOf, key_of, no_key_of
from creditcore.testing.contracts.samples import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import (
    WALLET,
    WHOLE_DAY,
    Made,
    make,
    roll_up,
    took,
    used,
)


class UsageWithoutKeysContract:
    """Calls without a key, as the playground makes them."""

    @pytest.mark.parametrize("rolled", [False, True], ids=["live", "rolled up"])
    def test_calls_without_a_key_are_told_apart_by_the_member_who_made_them(
        self, transactions: Transactions, *, rolled: bool
    ) -> None:
        a_wallet(transactions, posted=1000)
        make(transactions, Made(reference="1", key_id=None, member_id="amina", cost=10))
        make(transactions, Made(reference="2", key_id=None, member_id="baraka", cost=20))
        # A key says who called: its calls stay its own.
        make(transactions, Made(reference="3", member_id="baraka", cost=40))
        make(transactions, Made(reference="4", key_id=None, cost=80))
        if rolled:
            roll_up(transactions, until=NOON + 5 * HOUR)
        amina, baraka = no_key_of("amina"), no_key_of("baraka")

        with transactions.begin() as tx:
            shares = tx.usage_hours.shares(WALLET, [WHOLE_DAY])
            assert set(tx.usage_hours.last_uses("wallet-1")) == {"key-1", "", amina, baraka}

        charges = {"key-1": 40, amina: 10, baraka: 20, "": 80}
        assert {share.key_id: share.tally.charge for share in shares} == charges
        # The empty id stands for all calls without a key.
        for key_id, charge, calls in [("", 110, 3), (amina, 10, 1), (baraka, 20, 1)]:
            whose = UsageOf("wallet-1", key_id)
            assert [tally.charge for tally in used(transactions, whose)] == [charge]
            assert [timing.latency.total for timing in took(transactions, whose)] == [calls]
            wanted = WantedCalls(wallet_id="wallet-1", key_id=key_id)
            with transactions.begin() as tx:
                found = tx.calls.older(wanted, limit=9)
            assert sum(hold.charged.microcredits for hold in found) == charge
            assert {key_of(hold) for hold in found} <= {"", key_id, amina, baraka}
