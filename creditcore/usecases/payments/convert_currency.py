"""Quote a USD price in the currency of the checkout."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.money import ExchangeRate, Money, div_ceil
from creditcore.ports.rates import ExchangeRates

_MINOR_UNITS_PER_WHOLE = 100


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertCurrency:
    """Turn prices of one currency into another, naming the rate that was used."""

    rates: ExchangeRates

    def quote(self, price: Money, currency: str) -> tuple[Money, ExchangeRate | None]:
        """Return a price in ``currency`` and the rate behind it.

        Rounded up to a whole shilling (or other unit of 100), so that M-Pesa can
        carry it: the seller gains. The same currency needs no rate.

        Raises:
            LookupError: There is no rate.
        """
        if price.currency == currency:
            return price, None
        rate = self.rates.rate(price.currency, currency)
        return self.convert(price, rate), rate

    @staticmethod
    def convert(price: Money, rate: ExchangeRate) -> Money:
        """Apply a stored rate again, to check an old quote.

        Raises:
            ValueError: The rate starts from another currency.
        """
        if price.currency != rate.base:
            raise ValueError(f"a rate from {rate.base} does not convert {price.currency}")
        whole = div_ceil(
            price.minor_units * rate.numerator, rate.denominator * _MINOR_UNITS_PER_WHOLE
        )
        return Money(whole * _MINOR_UNITS_PER_WHOLE, rate.quote)
