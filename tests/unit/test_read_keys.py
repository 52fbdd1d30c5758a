"""Which spend limit leaves a key nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from creditcore import Credits, Wallet
from creditcore.domain.limits import KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.testing.contracts.samples import NOON, a_key
from creditcore.usecases.keys.read_keys import KeyView, Limited, ReachedLimit

MIDNIGHT = datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC)
DAILY = KeyLimits(spend=SpendLimit(credits=Credits.of(5), period=Period.DAY))
KEY = replace(a_key(Wallet(id="wallet-1", owner_id="person-1")), account_limits=DAILY)


def counter(spent: int, *, held: int = 0, period: Period | None = None) -> KeyCounter:
    return KeyCounter(
        id="counter",
        wallet_id="wallet-1",
        since=MIDNIGHT,
        limit=Credits.of(5),
        spent=Credits.of(spent),
        held=Credits.of(held),
        period=period,
    )


def reached(**counters: KeyCounter) -> ReachedLimit | None:
    nothing = dict.fromkeys(("counter", "account_counter", "member_counter"))
    view = KeyView(key=KEY, available=Credits.of(100), last_used_at=None, **nothing | counters)
    return view.reached(NOON)


@pytest.mark.parametrize("spent", [0, 4])
def test_a_limit_with_room_is_not_reached(spent: int) -> None:
    assert reached(counter=counter(spent)) is None
    assert reached() is None


def test_the_first_limit_that_leaves_nothing_is_named_with_its_end() -> None:
    tomorrow = MIDNIGHT.replace(day=MIDNIGHT.day + 1)
    full = counter(3, held=2)

    assert reached(counter=full) == ReachedLimit(Limited.KEY, None)
    assert reached(account_counter=full) == ReachedLimit(Limited.ACCOUNT, tomorrow)
    assert reached(member_counter=counter(5, period=Period.DAY)) == ReachedLimit(
        Limited.MEMBER, tomorrow
    )
    assert reached(counter=full, account_counter=full) == ReachedLimit(Limited.KEY, None)
