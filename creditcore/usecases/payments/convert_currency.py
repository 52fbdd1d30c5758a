"""Quote a USD price in the currency of the payer, and value a price in USD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.money import (
    MICROCREDITS_PER_CREDIT,
    Credits,
    ExchangeRate,
    Money,
    div_ceil,
    div_floor,
)
from creditcore.ports.exchange_rates import ExchangeRates

_WHOLE_UNIT = 100


@dataclass(frozen=True, slots=True)
class FixedRates:
    """Rates that the operator sets by hand."""

    rates: tuple[ExchangeRate, ...] = ()

    def rate(self, base: str, quote: str) -> ExchangeRate:
        """Return the rate between two currencies.

        Raises:
            LookupError: The operator set none.
        """
        for rate in self.rates:
            if (rate.base, rate.quote) == (base, quote):
                return rate
        raise LookupError(f"no exchange rate from {base} to {quote} is set")


@dataclass(frozen=True, slots=True)
class FirstRates:
    """Several sources of rates: the first that has a rate counts."""

    sources: Sequence[ExchangeRates]

    def rate(self, base: str, quote: str) -> ExchangeRate:
        """Return the rate of the first source that has one.

        Raises:
            LookupError: None has; the message is the last one's.
        """
        reason = LookupError(f"no exchange rate from {base} to {quote} is set")
        for source in self.sources:
            try:
                return source.rate(base, quote)
            except LookupError as error:
                reason = error
        raise reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertCurrency:
    """Turn prices of one currency into another, naming the rate that was used."""

    rates: ExchangeRates

    def quote(self, price: Money, currency: str) -> tuple[Money, ExchangeRate | None]:
        """Return a price in ``currency`` and the rate behind it.

        Rounded up to what that currency is quoted in, mostly whole units, so that a phone
        can pay it: the seller gains. The same currency needs no rate.

        Raises:
            LookupError: There is no rate.
        """
        if price.currency == currency:
            return price, None
        rate = self.rates.rate(price.currency, currency)
        return self.convert(price, rate), rate

    def value(self, price: Money, currency: str) -> tuple[Credits, ExchangeRate | None]:
        """Return what a price is worth, one credit for each hundredth of ``currency``.

        Rounded down to the microcredit: the seller gains.

        Raises:
            LookupError: There is no rate.
        """
        if price.currency == currency:
            return Credits.of(price.minor_units), None
        rate = self.rates.rate(currency, price.currency)
        scaled = price.minor_units * rate.denominator * MICROCREDITS_PER_CREDIT
        return Credits(div_floor(scaled, rate.numerator)), rate

    @staticmethod
    def convert(price: Money, rate: ExchangeRate) -> Money:
        """Apply a stored rate again, to check an old quote.

        Raises:
            ValueError: The rate starts from another currency.
        """
        if price.currency != rate.base:
            raise ValueError(f"a rate from {rate.base} does not convert {price.currency}")
        known = CURRENCIES.get(rate.quote)
        step = known.quote_step if known else _WHOLE_UNIT
        steps = div_ceil(price.minor_units * rate.numerator, rate.denominator * step)
        return Money(steps * step, rate.quote)
