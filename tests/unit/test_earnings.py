"""What a site earned: gifts lower what a spent credit earns, and every loss counts once."""

from __future__ import annotations

import pytest

from creditcore.domain.earnings import CreditWorth, Earnings
from creditcore.domain.money import ZERO, Credits

CENT = 10**10


def test_a_credit_earns_what_was_paid_for_all_of_them() -> None:
    # $10 bought 2,000 credits: each is worth half a cent.
    worth = CreditWorth(taken_cents=1000, credited=Credits.of(2000))

    assert worth.picodollars(Credits.of(2000)) == 1000 * CENT
    assert worth.picodollars(Credits.of(1)) == CENT // 2


def test_gifts_lower_it() -> None:
    worth = CreditWorth(taken_cents=1000, credited=Credits.of(4000))

    assert worth.picodollars(Credits.of(1)) == CENT // 4


@pytest.mark.parametrize(
    ("taken", "credited"), [(0, Credits.of(200)), (-5, Credits.of(200)), (10, ZERO)]
)
def test_nothing_is_earned_where_nothing_was_sold(taken: int, credited: Credits) -> None:
    assert CreditWorth(taken_cents=taken, credited=credited).picodollars(Credits.of(1)) == 0


def test_the_margin_may_be_a_loss() -> None:
    earnings = Earnings(revenue=10 * CENT, provider_cost=15 * CENT)

    assert (earnings.margin, earnings.margin_per_mille) == (-5 * CENT, -500)
    assert Earnings(revenue=0, provider_cost=1).margin_per_mille is None
