"""What the operator sells, in which currencies, and how much of it to one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from creditcore.domain.money import Money

DAY = timedelta(days=1)
MONTH = timedelta(days=30)

MAX_CHECKOUTS_PER_DAY = 100
"""Checkouts that one person may begin within 24 hours, paid or not."""


def _usd(*whole: int) -> tuple[Money, ...]:
    return tuple(Money(amount * 100, "USD") for amount in whole)


@dataclass(frozen=True, slots=True)
class Bought:
    """What one person bought or began to buy in some time.

    Attributes:
        checkouts: How many purchases were begun, whatever became of them.
        value: USD value of those that were paid, or still may be.
    """

    checkouts: int
    value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleTerms:
    """The terms of every sale.

    Attributes:
        currencies: Codes of what people may pay in; the first is the default.
        credits_per_usd: Decimal text; how many US cents of credit one US cent buys.
        plans: The USD values that pages list.
        min_value: The least USD value of one purchase.
        max_value: The most USD value of one purchase.
        daily_limit: The most USD value one person may buy within 24 hours.
        monthly_limit: The same within 30 days.
    """

    currencies: tuple[str, ...] = ("USD",)
    credits_per_usd: str = "2"
    plans: tuple[Money, ...] = _usd(5, 15, 20)
    min_value: Money = field(default=Money(200, "USD"))
    max_value: Money = field(default=Money(100_000, "USD"))
    daily_limit: Money = field(default=Money(200_000, "USD"))
    monthly_limit: Money = field(default=Money(1_000_000, "USD"))

    @property
    def limits(self) -> tuple[tuple[timedelta, Money], ...]:
        """The caps on what one person buys, each with the time it is for."""
        return (DAY, self.daily_limit), (MONTH, self.monthly_limit)
