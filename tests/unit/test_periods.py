"""Days are those of the person, also where clocks change and where midnight is no whole hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore.domain.money import Credits
from creditcore.domain.periods import (
    Span,
    day_start,
    days,
    last_24_hours,
    last_days,
    late_start,
    one_hour,
    this_month,
)
from creditcore.domain.runway import TOO_EARLY, Runway, runway
from creditcore.domain.usage_hours import HOUR, Tally, hour_of

ZONES = ["Africa/Nairobi", "Africa/Lagos", "Asia/Kathmandu", "America/New_York", "UTC"]
NOW = datetime(2026, 3, 29, 21, 40, tzinfo=UTC)


@given(st.sampled_from(ZONES), st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(0, 399))
def test_slots_follow_each_other_and_begin_on_whole_hours(
    name: str, first: date, more: int
) -> None:
    period = days("custom", first, first + timedelta(days=more), ZoneInfo(name))

    spans = [period.before, *(slot.span for slot in period.slots)]
    assert all(one.until == two.since for one, two in pairwise(spans))
    assert all(at == hour_of(at) for span in spans for at in (span.since, span.until))
    midnight = datetime.combine(first, datetime.min.time(), ZoneInfo(name))
    assert timedelta(0) <= midnight - period.span.since < HOUR


@pytest.mark.parametrize(
    ("name", "begins", "late"),
    [
        ("Africa/Nairobi", "2026-03-28T21:00Z", 0),
        ("Africa/Lagos", "2026-03-28T23:00Z", 0),
        ("Asia/Kathmandu", "2026-03-28T18:00Z", 15),
        ("America/New_York", "2026-03-29T04:00Z", 0),
    ],
)
def test_a_day_begins_at_the_zone_s_midnight(name: str, begins: str, late: int) -> None:
    day = date(2026, 3, 29)

    assert day_start(day, ZoneInfo(name)) == datetime.fromisoformat(begins)
    assert late_start(day, ZoneInfo(name)) == late


def test_a_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    york = ZoneInfo("America/New_York")
    changes = (date(2026, 3, 8), date(2026, 11, 1))
    spring, autumn = (days("custom", day, day, york).span for day in changes)

    assert spring.until - spring.since == timedelta(hours=23)
    assert autumn.until - autumn.since == timedelta(hours=25)


def test_the_last_24_hours_end_with_the_hour_that_runs() -> None:
    period = last_24_hours(NOW, ZoneInfo("Africa/Nairobi"))

    assert len(period.slots) == 24
    assert period.span.until == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert period.slots[-1].starts.hour == 0


def test_today_is_the_day_where_the_person_is() -> None:
    assert last_days(7, NOW, ZoneInfo("Africa/Nairobi")).last == date(2026, 3, 30)
    assert last_days(7, NOW, ZoneInfo("America/New_York")).last == date(2026, 3, 29)


def test_this_month_is_compared_with_as_many_days_of_the_last() -> None:
    period = this_month(NOW, UTC)

    assert (period.first, period.last) == (date(2026, 3, 1), date(2026, 3, 29))
    assert period.before == Span(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


def test_long_periods_are_shown_by_months() -> None:
    period = days("custom", date(2026, 1, 15), date(2026, 6, 3), UTC)

    assert [f"{slot.starts:%Y-%m-%d}" for slot in period.slots] == [
        "2026-01-15", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01",
    ]  # fmt: skip


@pytest.mark.parametrize("last", [date(2025, 12, 31), date(2027, 6, 1)])
def test_a_period_has_a_day_at_least_and_not_too_many(last: date) -> None:
    with pytest.raises(ValueError, match="days"):
        days("custom", date(2026, 1, 1), last, UTC)


def test_one_hour_is_the_one_that_an_instant_is_in() -> None:
    assert one_hour(NOW, UTC).span.since == datetime(2026, 3, 29, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("available", "week", "day", "first_days_ago", "expected"),
    [
        (700, Tally(calls=20, charge=700), Tally(charge=100), 30, Runway(7)),
        (700, Tally(calls=20, charge=700), Tally(charge=201), 30, Runway(7, 3)),
        (700, Tally(calls=20, charge=200), Tally(charge=100), 2, Runway(7)),
        (700, Tally(calls=19, charge=700), Tally(charge=100), 30, TOO_EARLY),
        (700, Tally(calls=20, charge=0), Tally(), 30, TOO_EARLY),
        (0, Tally(calls=20, charge=7), Tally(), 30, Runway(0)),
        (10**9, Tally(calls=20, charge=7), Tally(), 30, Runway(10**9)),
    ],
)
def test_a_balance_lasts_as_long_as_the_pace_of_the_last_days_says(
    available: int, week: Tally, day: Tally, first_days_ago: int, expected: Runway
) -> None:
    first_call = NOW - timedelta(days=first_days_ago)

    found = runway(Credits(available), week=week, day=day, first_call=first_call, now=NOW)

    assert found == expected


def test_a_day_of_history_is_too_early_to_say() -> None:
    week = Tally(calls=90, charge=9)

    for first_call in (None, NOW - timedelta(hours=23)):
        assert runway(Credits(9), week=week, day=week, first_call=first_call, now=NOW) == TOO_EARLY
