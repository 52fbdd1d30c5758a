"""The currencies that credits are sold in.

Amounts are hundredths of a unit in every one of them, also in those without a subunit:
that is how payment providers count them. What differs is how people write an amount, and
to which step a quote is rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

MINOR_UNITS_PER_UNIT = 100


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency.

    Attributes:
        code: ISO 4217.
        name: As people call it, in the plural.
        decimals: How many digits people write behind the point.
        quote_step: What a quote is rounded up to, in minor units. Whole units, where phones
            pay whole units only.
    """

    code: str
    name: str
    decimals: int
    quote_step: int


_ALL = (
    Currency("USD", "US dollars", 2, 1),
    Currency("KES", "Kenyan shillings", 2, 100),
    Currency("NGN", "Nigerian naira", 2, 100),
    Currency("GHS", "Ghanaian cedis", 2, 100),
    Currency("ZAR", "South African rand", 2, 100),
    # No subunit: a provider ignores the hundredths of a franc, so a price must not have any.
    Currency("XOF", "West African CFA francs", 0, 100),
)

CURRENCIES = MappingProxyType({currency.code: currency for currency in _ALL})
