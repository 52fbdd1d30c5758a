"""Stretches of time that people ask about, cut in their own zone.

What is used is kept by hours of UTC, so a period begins and ends on one. Where midnight of
a zone is none, as in India or Nepal, its days begin with the hour that midnight falls into:
``starts_late`` says so, and everything that is shown of the period means that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from creditcore.domain.usage_hours import HOUR, hour_of

DAY = timedelta(days=1)
MAX_DAYS = 400
_DAYS_SHOWN_SINGLY = 92


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: from an instant on, up to and without another."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError(f"a span does not end before it begins: {self}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One bar of a chart.

    Attributes:
        starts: When it begins, in the zone of the person who asked.
        unit: How long it is: ``hour``, ``day`` or ``month``.
    """

    span: Span
    starts: datetime
    unit: str


@dataclass(frozen=True, slots=True)
class Period:
    """What is looked at, cut into slots, and the same length before it.

    Attributes:
        name: How addresses call it: ``24h``, ``7d``, ``30d``, ``month`` or ``custom``.
        first, last: The days it is made of, in the zone.
        starts_late: How many minutes before their midnight the zone's days begin here.
    """

    name: str
    slots: Sequence[Slot]
    before: Span
    first: date
    last: date
    starts_late: int = 0

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(self.slots[0].span.since, self.slots[-1].span.until)


def day_start(day: date, zone: tzinfo) -> datetime:
    """Return the hour of UTC that a day begins with."""
    return hour_of(datetime.combine(day, time(), tzinfo=zone))


def late_start(day: date, zone: tzinfo) -> int:
    """Return how many minutes before its midnight a day begins here."""
    midnight = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    return (midnight - hour_of(midnight)) // timedelta(minutes=1)


def day_span(first: date, last: date, zone: tzinfo) -> Span:
    """Return the stretch from one day to another, both included."""
    return Span(day_start(first, zone), day_start(last + DAY, zone))


def last_24_hours(now: datetime, zone: tzinfo) -> Period:
    """Return the hour that runs now, and the 23 before it."""
    end = hour_of(now) + HOUR
    starts = [end - count * HOUR for count in range(24, 0, -1)]
    slots = [Slot(Span(at, at + HOUR), at.astimezone(zone), "hour") for at in starts]
    first, last = starts[0].astimezone(zone).date(), now.astimezone(zone).date()
    return Period("24h", slots, Span(starts[0] - 24 * HOUR, starts[0]), first, last)


def one_hour(at: datetime, zone: tzinfo) -> Period:
    """Return the hour of UTC that an instant is in."""
    begin = hour_of(at)
    local = begin.astimezone(zone)
    span = Span(begin, begin + HOUR)
    slots = [Slot(span, local, "hour")]
    return Period("hour", slots, Span(begin - HOUR, begin), local.date(), local.date())


def last_days(count: int, now: datetime, zone: tzinfo) -> Period:
    """Return today and the days before it, so many in all."""
    today = now.astimezone(zone).date()
    return days(f"{count}d", today - (count - 1) * DAY, today, zone)


def this_month(now: datetime, zone: tzinfo) -> Period:
    """Return this month up to today; before it stands the same number of days of the last."""
    today = now.astimezone(zone).date()
    first = today.replace(day=1)
    before_last = first - DAY
    before_first = before_last.replace(day=1)
    same_day = min(before_first + (today - first), before_last)
    return days("month", first, today, zone, before=day_span(before_first, same_day, zone))


def days(name: str, first: date, last: date, zone: tzinfo, *, before: Span | None = None) -> Period:
    """Return the days from one to another, both included; by months where they are many.

    Raises:
        ValueError: The last is before the first, or they are too many.
    """
    count = (last - first).days + 1
    if not 1 <= count <= MAX_DAYS:
        raise ValueError(f"a period has 1 to {MAX_DAYS} days, not {count}")
    unit = "day" if count <= _DAYS_SHOWN_SINGLY else "month"
    starts = [first + number * DAY for number in range(count)]
    if unit == "month":
        starts = [day for day in starts if day == first or day.day == 1]
    slots = [
        Slot(
            day_span(begin, end - DAY, zone),
            datetime.combine(begin, time(), tzinfo=zone),
            unit,
        )
        for begin, end in pairwise([*starts, last + DAY])
    ]
    if before is None:
        before = day_span(first - count * DAY, first - DAY, zone)
    return Period(name, slots, before, first, last, late_start(first, zone))
