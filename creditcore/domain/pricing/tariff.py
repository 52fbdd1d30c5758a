"""From what a provider takes to credits: the tariff, and the ceiling of a call."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Self

from creditcore.domain.makers import maker_of
from creditcore.domain.money import (
    MAX_INT64,
    Credits,
    credits_of,
    decimal_ratio,
    div_ceil,
    div_floor,
)
from creditcore.domain.pricing.exact import PRICE_UNITS_PER_USD, plain

_MICROCREDITS_PER_USD_OF_BALANCE = 10**8
_PRICE_UNITS_PER_MICROUSD = PRICE_UNITS_PER_USD // 10**6


@dataclass(frozen=True, slots=True)
class Tariff:
    """Turns provider cost into credits: credits per USD times markup, as one ratio.

    Attributes:
        numerator, denominator: Microcredits per unit of 10^-30 USD.
        multiplier: Credits per cent of provider cost, as decimal text.
    """

    numerator: int
    denominator: int
    multiplier: str

    @classmethod
    def parse(cls, *, credits_per_usd: str = "2", markup: str = "1.0") -> Self:
        """Read the two settings; $1 of provider cost is 100 x both, in credits.

        Raises:
            ValueError: Not plain decimals above zero.
        """
        credits_numerator, credits_denominator = decimal_ratio(credits_per_usd)
        markup_numerator, markup_denominator = decimal_ratio(markup)
        if credits_numerator <= 0 or markup_numerator <= 0:
            raise ValueError("credits per USD and markup are above zero")
        return cls(
            credits_numerator * markup_numerator,
            credits_denominator
            * markup_denominator
            * (PRICE_UNITS_PER_USD // _MICROCREDITS_PER_USD_OF_BALANCE),
            plain(Decimal(credits_per_usd) * Decimal(markup)),
        )

    def charge(self, cost_units: int) -> Credits:
        """Return the credits for a provider cost, rounded up once: the platform gains."""
        return Credits(self.microcredits(cost_units))

    def provider_microusd(self, credits_: Credits) -> int:
        """Return what some credits pay for at the provider, in 10^-6 USD, rounded down."""
        units = div_floor(credits_.microcredits * self.denominator, self.numerator)
        return div_floor(units, _PRICE_UNITS_PER_MICROUSD)

    def microcredits(self, cost_units: int) -> int:
        """Return the same as a number, which may be larger than any amount of credits."""
        return div_ceil(cost_units * self.numerator, self.denominator)


@lru_cache(maxsize=1000)
def marked_up(tariff: Tariff, markup: str) -> Tariff:
    """Return the tariff of a model that costs so many times more, as decimal text."""
    numerator, denominator = decimal_ratio(markup)
    return Tariff(
        tariff.numerator * numerator,
        tariff.denominator * denominator,
        plain(Decimal(tariff.multiplier) * Decimal(markup)),
    )


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most a call may cost: a fixed part and a part per output token.

    Attributes:
        base, per_output_token: Numerators over ``denominator``, in microcredits.
        output_bound: Output tokens of one choice, as asked for or as the model can give.
        fixed_output: Whether the bound is the caller's own, not just what the model can give.
        opening: Output tokens to pay for at first, where the hold can grow while the
            answer streams; None where everything is held at once.
        least: Output tokens that are worth a beginning, where the bound is not the caller's own.
    """

    base: int
    per_output_token: int
    denominator: int
    output_bound: int
    fixed_output: bool
    opening: int | None = None
    least: int = 1

    @property
    def least_output(self) -> int:
        """Output tokens that must be covered for the call to begin at all.

        A limit of the caller's own is kept, or, where the hold can grow, at least begun.
        """
        if not self.fixed_output:
            return min(self.output_bound, self.least)
        return min(self.output_bound, self.opening or self.output_bound)

    @classmethod
    def of(cls, amount: Credits) -> Self:
        """Return a ceiling that is simply an amount."""
        return cls(amount.microcredits, 0, 1, 0, fixed_output=True)

    def amount(self, output_tokens: int | None = None) -> Credits:
        """Return the credits to hold for this many output tokens, rounded up.

        It stops at the largest amount there is: no wallet has that much either.
        """
        tokens = self.output_bound if output_tokens is None else output_tokens
        exact = div_ceil(self.base + tokens * self.per_output_token, self.denominator)
        return credits_of(min(exact, MAX_INT64))

    def affordable(self, available: Credits) -> int:
        """Return the largest output limit within the bound that ``available`` covers, or 0."""
        room = available.microcredits * self.denominator - self.base
        if room < 0:
            return 0
        if self.per_output_token == 0:
            return self.output_bound
        return min(self.output_bound, div_floor(room, self.per_output_token))


make_ceiling = maker_of(Ceiling)
