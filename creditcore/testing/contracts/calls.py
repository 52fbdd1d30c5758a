"""Calls, to be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from creditcore.domain.endings import Ending
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Hold, HoldState, Outcome
from creditcore.domain.money import Credits
from creditcore.domain.periods import Span
from creditcore.domain.runaway import MinuteSpend
from creditcore.domain.usage_hours import HOUR
from creditcore.ports.calls import Place, WantedCalls
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet, admit, settle
from creditcore.testing.contracts.usage_hours import Made, make


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

    def test_what_a_key_and_its_rotated_secrets_were_charged_is_told_by_minute(
        self, transactions: Transactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_key(wallet)
        new = replace(a_key(wallet, key_id="key-2", key_hash=b"i" * 32), family=key.id)
        other = a_key(wallet, key_id="key-3", key_hash=b"j" * 32)
        with transactions.begin() as tx:
            for each in (key, new, other):
                tx.keys.add(each)
            tx.commit()
        start = NOON.replace(second=0, microsecond=0)
        calls = ((key, 1, 10), (new, 2, 30), (key, 4, 59), (other, 8, 70), (key, 16, 130))
        for whose, charge, seconds in calls:
            hold = admit(transactions, charge, reference=f"call-{charge}", now=start, key=whose)
            settle(transactions, hold, charge, at=start + timedelta(seconds=seconds))
        settle(transactions, admit(transactions, 9, reference="free", now=start, key=key), 0)

        with transactions.begin() as tx:
            for since, until, expected in (
                (0, 180, [(0, 7), (2, 16)]),
                (30, 130, [(0, 6)]),
                (60, 130, []),
            ):
                found = tx.calls.spend_by_minute(
                    wallet.id,
                    key.id,
                    since=start + timedelta(seconds=since),
                    until=start + timedelta(seconds=until),
                )
                assert list(found) == [
                    MinuteSpend(start + at * MINUTE, Credits(charged)) for at, charged in expected
                ]

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

    def test_a_list_is_walked_both_ways_without_missing_or_repeating_a_call(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=10_000)
        # Three of them began in the same microsecond.
        calls = [
            make(transactions, Made(reference=f"call-{n}", began=NOON + (n // 3) * MINUTE))
            for n in range(9)
        ]
        newest_first = sorted(calls, key=lambda call: (call.created_at, call.reference))[::-1]
        wanted = WantedCalls(wallet_id="wallet-1")
        with transactions.begin() as tx:
            first = tx.calls.older(wanted, limit=4)
            second = tx.calls.older(wanted, than=place_of(first[-1]), limit=4)
            third = tx.calls.older(wanted, than=place_of(second[-1]), limit=4)
            back = tx.calls.newer(wanted, than=place_of(third[0]), limit=4)

            assert [*first, *second, *third] == newest_first
            assert list(back) == list(second)
            assert list(tx.calls.newer(wanted, than=place_of(first[0]), limit=4)) == []
            assert tx.calls.first_began_at("wallet-1") == NOON
            assert tx.calls.first_began_at("wallet-2") is None

    def test_it_is_known_when_a_call_began_that_so_many_stand_before(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        a_wallet(transactions, posted=1000, wallet_id="wallet-2")
        calls = [
            make(transactions, Made(reference=f"call-{n}", began=NOON + n * MINUTE))
            for n in range(5)
        ]
        make(transactions, Made(reference="other", wallet_id="wallet-2"))

        with transactions.begin() as tx:
            back = tx.calls.began_back
            assert back("wallet-1", calls=0) == NOON + 4 * MINUTE
            assert back("wallet-1", calls=4) == NOON
            assert back("wallet-1", calls=5) is None
            assert back("wallet-1", calls=1, than=place_of(calls[3])) == NOON + MINUTE
            assert back("wallet-1", calls=0, than=place_of(calls[0])) is None

    def test_calls_are_found_by_everything_that_can_be_asked_for(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=10_000)
        a_wallet(transactions, posted=10_000, wallet_id="wallet-2")
        make(transactions, Made(reference="a-1"))
        make(transactions, Made(reference="a-2", key_id="key-2", model="other", cost=40))
        make(transactions, Made(reference="a-3", key_id=None, began=NOON + 2 * HOUR))
        failed = Outcome(status=502, error="upstream_error")
        make(transactions, Made(reference="b-1", outcome=failed))
        make(transactions, Made(reference="b-2", outcome=Outcome(status=499, error="client_left")))
        make(transactions, Made(reference="b-3", cost=0, closing=HoldState.EXPIRED))
        make(transactions, Made(reference="b-4", took=3 * HOUR))
        admit(transactions, 10, reference="b_5")
        make(transactions, Made(reference="c-1", wallet_id="wallet-2"))
        noon = Span(NOON, NOON + HOUR)

        def found(**asked: Any) -> str:
            with transactions.begin() as tx:
                wanted = WantedCalls(wallet_id="wallet-1", **asked)
                calls = tx.calls.older(wanted, limit=20)
            return " ".join(sorted(call.reference for call in calls))

        assert found() == "a-1 a-2 a-3 b-1 b-2 b-3 b-4 b_5"
        assert found(key_id="key-2") == "a-2"
        assert found(key_id="") == "a-3 b_5"
        assert found(model="other") == "a-2"
        assert found(ending=Ending.DONE) == "a-1 a-2 a-3 b-4"
        assert found(ending=Ending.FAILED) == "b-1 b-3"
        assert found(ending=Ending.CANCELLED) == "b-2"
        assert found(ending=Ending.RUNNING) == "b_5"
        assert found(at_least=Credits(26)) == "a-2"
        assert found(ended=noon) == "a-1 a-2 b-1 b-2 b-3 b_5"
        assert found(ended=Span(NOON + 3 * HOUR, NOON + 4 * HOUR)) == "b-4"
        assert found(ended=Span(NOON + 3 * HOUR, NOON + 4 * HOUR), began_from=NOON) == "b-4"
        assert found(began_from=NOON + MINUTE) == "a-3"
        assert found(search="a-") == "a-1 a-2 a-3"
        assert found(search="b_") == "b_5"
        assert found(search="c") == ""
        assert found(search="%") == ""
        assert found(key_id="key-2", model="demo") == ""


def place_of(call: Hold) -> Place:
    """Return where a call stands in a list."""
    return Place(call.created_at, call.reference)
