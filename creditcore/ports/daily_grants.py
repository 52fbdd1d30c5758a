"""How much was given away on one day."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from creditcore.domain.money import Credits


class DailyGrants(Protocol):
    """What newcomers got, by day, so that one day's has an end."""

    def claim(self, day: date, amount: Credits, *, at_most: Credits) -> bool:
        """Count an amount, if the day's sum stays within a bound; return whether it does.

        Of many who claim at once, exactly those whose sum fits are counted. What is not
        committed does not count.
        """
