"""How much was given away on one day, in ``daily_grants``."""

from __future__ import annotations

from datetime import date

from creditcore.domain.money import Credits

from ..session import Session


class PonyDailyGrants:
    """What newcomers got, by day."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, day: date, amount: Credits, *, at_most: Credits) -> bool:
        if amount > at_most:
            return False
        # One statement: the second that comes waits for the row, and sees what it is then.
        counted = self._session.change(
            "INSERT INTO daily_grants (day, granted) VALUES (?, ?)"
            " ON CONFLICT (day) DO UPDATE SET granted = daily_grants.granted + excluded.granted"
            " WHERE daily_grants.granted + excluded.granted <= ?",
            (day.isoformat(), amount.microcredits, at_most.microcredits),
        )
        return counted == 1
