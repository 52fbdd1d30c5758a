"""Exchange rates."""

from __future__ import annotations

from typing import Protocol

from creditcore.domain.money import ExchangeRate


class ExchangeRates(Protocol):
    """What one currency costs in another."""

    def rate(self, base: str, quote: str) -> ExchangeRate:
        """Return the rate to quote now.

        Raises:
            LookupError: There is none between these two.
        """
