"""How long a balance lasts, at the pace of the last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from creditcore.domain.money import ZERO, Credits, div_floor
from creditcore.domain.usage_hours import Tally

_DAY = timedelta(days=1)
_WEEK_DAYS = 7
_MIN_CALLS = 20
_HASTE = 2
MAX_DAYS = 365
LOW_DAYS = 3


@dataclass(frozen=True, slots=True)
class Runway:
    """How many whole days a balance lasts.

    Attributes:
        days: At the pace of the last seven days; None where it is too early to say.
        hasty_days: At the pace of the last 24 hours, where that is more than twice as fast.
    """

    days: int | None = None
    hasty_days: int | None = None

    @property
    def is_long(self) -> bool:
        """Whether it is more than a year: by how much is of no use."""
        return self.days is not None and self.days > MAX_DAYS

    @property
    def is_short(self) -> bool:
        """Whether it is time to buy."""
        return self.days is not None and self.days < LOW_DAYS


TOO_EARLY = Runway()


def runway(
    available: Credits,
    *,
    week: Tally,
    day: Tally,
    first_call: datetime | None,
    now: datetime,
) -> Runway:
    """Return how long a balance lasts.

    ``week`` and ``day`` are what was used in the last 168 and in the last 24 hours, and
    ``first_call`` is when the first call of all began.
    """
    if first_call is None or now - first_call < _DAY or week.calls < _MIN_CALLS:
        return TOO_EARLY
    since = max(1, min(_WEEK_DAYS, (now - first_call) // _DAY))
    if not week.charge or available < ZERO:
        return TOO_EARLY
    days = div_floor(available.microcredits * since, week.charge)
    is_hasty = day.charge * since > _HASTE * week.charge
    return Runway(days, div_floor(available.microcredits, day.charge) if is_hasty else None)
