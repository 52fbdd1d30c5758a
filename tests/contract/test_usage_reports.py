"""A report says the same of a period, however its days are told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from creditcore.domain.periods import days
from creditcore.domain.usage_hours import NOTHING_USED, tally_of
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import UsageOf
from creditcore.testing.contracts import a_wallet
from creditcore.testing.contracts.usage_hours import Made, make, roll_up
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.describe_usage import DescribeUsage

CLOCKS_CHANGE = date(2026, 3, 8)
"""In New York."""

KEYS_AND_MODELS = [("key-1", "one"), ("key-1", "two"), ("key-2", "two"), (None, "one")]


@pytest.mark.parametrize("zone", ["Africa/Nairobi", "Asia/Kathmandu", "America/New_York"])
def test_days_and_all_of_them_add_up_however_they_are_told_apart(
    any_store: Transactions, zone: str
) -> None:
    period = days(
        "custom",
        CLOCKS_CHANGE - timedelta(days=1),
        CLOCKS_CHANGE + timedelta(days=1),
        ZoneInfo(zone),
    )
    a_wallet(any_store, posted=100_000)
    begin = datetime(2026, 3, 4, 4, 40, tzinfo=UTC)
    holds = [
        make(
            any_store,
            Made(
                reference=f"call-{number}",
                began=begin + number * timedelta(hours=5),
                key_id=KEYS_AND_MODELS[number % 4][0],
                model=KEYS_AND_MODELS[number % 4][1],
                cost=number,
            ),
        )
        for number in range(30)
    ]
    roll_up(any_store, until=begin + timedelta(days=4, hours=7))
    insight = DescribeUsage(transactions=any_store, clock=FixedClock(begin + timedelta(days=9)))
    wanted = [
        [hold for hold in holds if slot.span.since <= hold.closed_at < slot.span.until]
        for slot in period.slots
    ]
    in_all = [hold for some in wanted for hold in some]
    before = [hold for hold in holds if period.before.since <= hold.closed_at < period.before.until]
    assert before
    assert all(wanted)

    for by_key, by_model in product((False, True), repeat=2):
        report = insight.describe(UsageOf("wallet-1"), period, by_key=by_key, by_model=by_model)

        assert report.total == sum(map(tally_of, in_all), NOTHING_USED)
        assert report.before == sum(map(tally_of, before), NOTHING_USED)
        assert [slot.tally for slot in report.slots] == [
            sum(map(tally_of, some), NOTHING_USED) for some in wanted
        ]
        assert [set(slot.tallies) for slot in report.slots] == [
            {
                ((hold.call.key_id or "") if by_key else "", hold.call.model if by_model else "")
                for hold in some
            }
            for some in wanted
        ]
        for used, of_call in (
            (report.by_key(), lambda call: call.key_id or ""),
            (report.by_model(), lambda call: call.model),
        ):
            assert used == {
                name: sum(
                    (tally_of(hold) for hold in in_all if of_call(hold.call) == name), NOTHING_USED
                )
                for name in {of_call(hold.call) for hold in in_all}
            }
        assert report.oldest_call == min(hold.created_at for hold in in_all)
