"""A stop for keys that run away: so much spent within an hour, and the key is paused.

It is counted in whole minutes, so that trying a stop on the past finds exactly what the stop
itself would have found. Unlike a spend limit it refuses no call that fits: it looks now and
then, and what it pauses stays so until its owner resumes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import ZERO, Credits

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(hours=1)

PAUSED_BY_STOP = "stop"
"""Why a key is paused that its stop has paused."""


@dataclass(frozen=True, slots=True)
class RunawayStop:
    """When a key is to be paused.

    Attributes:
        per_hour: Pause it when so much was charged within 60 minutes.
        since: Charges of before do not count: the stop was set then, or the key resumed.
        webhook: An address that is told; empty for none.
    """

    per_hour: Credits
    since: datetime
    webhook: str = ""

    def __post_init__(self) -> None:
        if self.per_hour <= ZERO:
            raise InvalidRequestError(
                "A stop is at more than nothing an hour.", param="stop_at_credits_per_hour"
            )

    def window(self, now: datetime) -> datetime:
        """Return from when on charges count now: the beginning of a minute, or of the stop."""
        return max(self.since, now.replace(second=0, microsecond=0) - WINDOW + MINUTE)


class MinuteSpend(NamedTuple):
    """What was charged in a minute, named by its beginning."""

    minute: datetime
    charged: Credits


@dataclass(frozen=True, slots=True)
class Trial:
    """What a stop would have done.

    Attributes:
        per_hour: When; None where only ``highest`` was asked for.
        fired: The minutes in which it would have paused the key, which was resumed at once.
        highest: The most that was charged within 60 minutes.
    """

    per_hour: Credits | None
    fired: tuple[datetime, ...]
    highest: Credits


def try_stop(spend: Iterable[MinuteSpend], per_hour: Credits | None) -> Trial:
    """Return what a stop would have done with these charges, the earliest first."""
    fired: list[datetime] = []
    counted, every = _Window(), _Window()
    highest = ZERO
    for each in spend:
        highest = max(highest, every.add(each))
        if per_hour is not None and counted.add(each) >= per_hour:
            fired.append(each.minute)
            counted = _Window()
    return Trial(per_hour, tuple(fired), highest)


class _Window:
    """The sum of the last 60 minutes."""

    def __init__(self) -> None:
        self._minutes: deque[MinuteSpend] = deque()
        self._sum = ZERO

    def add(self, spend: MinuteSpend) -> Credits:
        self._minutes.append(spend)
        self._sum += spend.charged
        while self._minutes[0].minute <= spend.minute - WINDOW:
            self._sum -= self._minutes.popleft().charged
        return self._sum
