"""Figures that add, and percentiles that can be read from their sum."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from creditcore.domain.usage_hours import (
    BOUNDS_MS,
    BUCKETS,
    Histogram,
    Tally,
    bucket_of,
    hour_of,
)

DURATIONS = st.lists(st.integers(0, 700_000), max_size=200)


def test_bounds_are_logarithmic_from_ten_milliseconds_to_ten_minutes() -> None:
    assert BUCKETS == 48
    assert tuple(round(10 * 60_000 ** (at / 46)) for at in range(47)) == BOUNDS_MS


@given(DURATIONS, DURATIONS)
def test_the_histogram_of_two_lists_is_the_sum_of_theirs(one: list[int], two: list[int]) -> None:
    together = Histogram.of([*one, *two])

    assert Histogram.of(one) + Histogram.of(two) == together
    assert together.total == len(one) + len(two)
    assert Histogram.unpack(together.pack()) == together


@given(st.lists(st.integers(10, 600_000), min_size=1, max_size=300), st.integers(1, 100))
@example([11, 11, 11, 11], 1)
def test_a_percentile_is_at_most_a_bucket_off(durations: list[int], percent: int) -> None:
    rank = max(1, -(-len(durations) * percent // 100))
    exact = sorted(durations)[rank - 1]

    found = Histogram.of(durations).percentile(percent)

    assert found is not None
    assert bucket_of(found) == bucket_of(exact)


def test_percentiles_of_nothing_and_of_the_longest_calls() -> None:
    assert Histogram().percentile(50) is None
    assert Histogram().pack() == b""
    assert Histogram.of([10**9]).percentile(95) == 600_000


def test_a_count_fills_no_other_lane() -> None:
    many = Histogram.counted([(0, 2**40 - 1), (47, 2**40 - 1)])

    assert many.counts[:2] == (2**40 - 1, 0)
    assert many.counts[46:] == (0, 2**40 - 1)
    assert len(many.pack()) == 5 * 48


@pytest.mark.parametrize(
    ("tally", "per_mille"),
    [
        (Tally(), None),
        (Tally(calls=3, cancelled=3), None),
        (Tally(calls=3, failed=1), 666),
        (Tally(calls=4, failed=1, cancelled=2), 500),
        (Tally(calls=2, refused_402=9), 1000),
    ],
)
def test_success_leaves_out_what_was_cancelled_or_refused(
    tally: Tally, per_mille: int | None
) -> None:
    assert tally.success_per_mille == per_mille


def test_an_hour_is_one_of_utc() -> None:
    nairobi = datetime.fromisoformat("2026-03-01T02:59:59.999999+03:00")

    assert hour_of(nairobi) == datetime(2026, 2, 28, 23, tzinfo=UTC)
