"""When a person is mailed what they used in a week, and which week that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Self

from creditcore.domain.periods import DAY, Period, days

_SENT_FROM = time(7)
_WEEK_DAYS = 7
_MOVED = timedelta(days=3)
"""More than any two zones differ, and less than a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklySummary:
    """The wish of a person to be mailed each week.

    Attributes:
        due_at: The next Monday at seven in their zone, as the zone was when this was written.
    """

    person_id: str
    due_at: datetime

    @classmethod
    def begin(cls, person_id: str, *, now: datetime, zone: tzinfo) -> Self:
        """Return the wish of a person who is mailed from the next Monday on."""
        return cls(person_id=person_id, due_at=_next_start(now, zone))

    def advance(self, *, now: datetime, zone: tzinfo) -> Self:
        """Return the wish as due on the next Monday: weeks in which no worker ran are skipped."""
        return replace(self, due_at=_next_start(now, zone))

    def is_early(self, *, now: datetime, zone: tzinfo) -> bool:
        """Whether Monday at seven is still to come: the person chose a zone further west."""
        return self.due_at - _latest_start(now, zone) > _MOVED


def week_before(now: datetime, zone: tzinfo) -> Period:
    """Return the last week, Monday to Sunday in a zone, of which people may be told by now."""
    monday = _latest_start(now, zone).astimezone(zone).date()
    return days("custom", monday - _WEEK_DAYS * DAY, monday - DAY, zone)


def _latest_start(now: datetime, zone: tzinfo) -> datetime:
    today = now.astimezone(zone).date()
    monday = today - today.weekday() * DAY
    start = datetime.combine(monday, _SENT_FROM, tzinfo=zone).astimezone(UTC)
    if start <= now:
        return start
    return datetime.combine(monday - _WEEK_DAYS * DAY, _SENT_FROM, tzinfo=zone).astimezone(UTC)


def _next_start(now: datetime, zone: tzinfo) -> datetime:
    # A week later by the calendar: with a change of the clock it is not 168 hours.
    monday = _latest_start(now, zone).astimezone(zone).date() + _WEEK_DAYS * DAY
    return datetime.combine(monday, _SENT_FROM, tzinfo=zone).astimezone(UTC)
