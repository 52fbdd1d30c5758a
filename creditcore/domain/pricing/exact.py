"""Prices as integers in units of 10^-30 USD, and as decimal text in USD: the same, exactly."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

PRICE_DECIMALS = 30
PRICE_UNITS_PER_USD = 10**PRICE_DECIMALS
_PRICE_DIGITS = 7
EXACTLY = Context(prec=200)


def price_units(text: str) -> int:
    """Read a price in USD from decimal text such as ``"1.5e-07"``, exactly.

    Raises:
        ValueError: Not a number, negative, above 10^6 USD, or finer than 10^-30 USD.
    """
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a price: {text!r}") from None
    if not price.is_finite() or not 0 <= price <= 10**6:
        raise ValueError(f"not a price: {text!r}")
    # Digit by digit: arithmetic would round, or turn "1e-999999999" into a huge integer.
    _, digits, exponent = price.as_tuple()
    written = "".join(map(str, digits))
    shift = int(exponent) + PRICE_DECIMALS
    if shift >= 0:
        return int(written + "0" * min(shift, PRICE_DECIMALS + _PRICE_DIGITS))
    if written[shift:].strip("0"):
        raise ValueError(f"price finer than 10^-{PRICE_DECIMALS} USD: {text!r}")
    return int(written[:shift] or "0")


def usd_text(units: int) -> str:
    """Return a price or a cost as exact decimal text in USD."""
    return plain(Decimal(units).scaleb(-PRICE_DECIMALS, EXACTLY))


def plain(number: Decimal) -> str:
    """Return a number in decimal text without exponent or idle zeros."""
    return f"{number.normalize(EXACTLY):f}"
