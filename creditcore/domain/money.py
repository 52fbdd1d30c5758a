"""Exact amounts: money of a currency, credits, and the rate between currencies.

Nothing here divides with ``/``: every division names who gains from its rounding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from creditcore.domain.errors import CurrencyMismatchError

MICROCREDITS_PER_CREDIT = 1_000_000
"""1 credit is 1 US cent of credit balance."""

MAX_INT64 = 2**63 - 1
"""Every amount fits the 64-bit columns that keep it."""

_new = object.__new__
_set = object.__setattr__  # how a frozen value is filled
_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMAL = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,24})?")


def div_ceil(numerator: int, denominator: int) -> int:
    """Divide, rounding up: the side that receives gains."""
    return -(-numerator // denominator)


def div_floor(numerator: int, denominator: int) -> int:
    """Divide, rounding down: the side that pays gains."""
    return numerator // denominator


def exact_int(value: object, name: str) -> int:
    """Return ``value`` if it is a 64-bit integer.

    Raises:
        TypeError: It is anything else. isinstance() would let True through, and
            a float would spread silently.
        ValueError: It does not fit 64 bits.
    """
    if type(value) is not int:
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not -MAX_INT64 <= value <= MAX_INT64:
        raise ValueError(f"{name} does not fit 64 bits: {value}")
    return value


def decimal_ratio(text: str) -> tuple[int, int]:
    """Read a plain decimal such as ``"129.50"`` as an exact integer ratio.

    Raises:
        ValueError: The text is not a plain decimal number.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a plain decimal number: {text!r}")
    return Decimal(text).as_integer_ratio()


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency.

    Attributes:
        minor_units: Signed count of the smallest unit: US cents, Kenyan cents.
        currency: ISO 4217 code in upper case.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        exact_int(self.minor_units, "minor_units")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"currency must be an ISO 4217 code, got {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor_units + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor_units - self._same_currency(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor_units < self._same_currency(other)

    def __le__(self, other: Money) -> bool:
        return self.minor_units <= self._same_currency(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor_units > self._same_currency(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor_units >= self._same_currency(other)

    def __str__(self) -> str:
        """The amount with its code, as in ``KES 1290.00``."""
        sign = "-" if self.minor_units < 0 else ""
        whole, cents = divmod(abs(self.minor_units), 100)
        return f"{self.currency} {sign}{whole}.{cents:02d}"

    def _same_currency(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatchError(self.currency, other.currency)
        return other.minor_units


@dataclass(frozen=True, slots=True)
class Credits:
    """An amount of credits, exact to the microcredit.

    1 credit is 1 US cent of credit balance; 10^6 microcredits are fine enough for
    one token of the cheapest model.

    Attributes:
        microcredits: Signed count of millionths of a credit.
    """

    microcredits: int

    # Every call makes and compares dozens of these. What a dataclass would generate for that
    # runs a method more for each, and puts tuples around the two numbers it compares.

    def __init__(self, microcredits: int) -> None:
        _set(self, "microcredits", exact_int(microcredits, "microcredits"))

    @classmethod
    def of(cls, whole: int) -> Self:
        """Return a whole number of credits."""
        return cls(exact_int(whole, "credits") * MICROCREDITS_PER_CREDIT)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exact decimal text such as ``"0.0123"``.

        Raises:
            ValueError: Not a plain decimal, or finer than a microcredit.
        """
        numerator, denominator = decimal_ratio(text)
        microcredits, rest = divmod(numerator * MICROCREDITS_PER_CREDIT, denominator)
        if rest:
            raise ValueError(f"credits have six decimals at most: {text!r}")
        return cls(microcredits)

    def __add__(self, other: Credits) -> Credits:
        return credits_of(self.microcredits + other.microcredits)

    def __radd__(self, other: int) -> Credits:
        """Add to the 0 that ``sum`` begins with, and to no other number."""
        if type(other) is not int or other != 0:
            return NotImplemented
        return self

    def __sub__(self, other: Credits) -> Credits:
        return credits_of(self.microcredits - other.microcredits)

    def __mul__(self, count: int) -> Credits:
        """Return the credits for so many units of the same price."""
        if type(count) is not int:
            return NotImplemented
        return Credits(self.microcredits * count)

    __rmul__ = __mul__

    def __lt__(self, other: Credits) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.microcredits < other.microcredits

    def __le__(self, other: Credits) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.microcredits <= other.microcredits

    def __gt__(self, other: Credits) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.microcredits > other.microcredits

    def __ge__(self, other: Credits) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.microcredits >= other.microcredits

    def __bool__(self) -> bool:
        return self.microcredits != 0

    def __str__(self) -> str:
        """The exact decimal text, without trailing zeros: ``"0.0123"``, ``"200"``."""
        sign = "-" if self.microcredits < 0 else ""
        whole, micro = divmod(abs(self.microcredits), MICROCREDITS_PER_CREDIT)
        if not micro:
            return f"{sign}{whole}"
        fraction = f"{micro:06d}".rstrip("0")
        return f"{sign}{whole}.{fraction}"


_fill = vars(Credits)["microcredits"].__set__


def credits_of(microcredits: int) -> Credits:
    """Return an amount that was computed: what ``Credits`` does for a number of any origin.

    Raises:
        ValueError: It does not fit 64 bits.
    """
    if not -MAX_INT64 <= microcredits <= MAX_INT64:
        exact_int(microcredits, "microcredits")
    # Past the constructor, which would see to it again that the number is one.
    amount = _new(Credits)
    _fill(amount, microcredits)
    return amount


ZERO = Credits(0)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """How many units of ``quote`` one unit of ``base`` costs, as an integer ratio."""

    numerator: int
    denominator: int
    base: str
    quote: str

    def __post_init__(self) -> None:
        exact_int(self.numerator, "numerator")
        exact_int(self.denominator, "denominator")
        if self.numerator <= 0 or self.denominator <= 0:
            raise ValueError("an exchange rate is above zero")

    @classmethod
    def parse(cls, text: str, *, base: str, quote: str) -> Self:
        """Read a rate such as ``"129.50"``.

        Raises:
            ValueError: Not a plain decimal above zero.
        """
        numerator, denominator = decimal_ratio(text)
        return cls(numerator, denominator, base, quote)

    def __str__(self) -> str:
        """The rate as decimal text, for people and receipts."""
        rate = (Decimal(self.numerator) / Decimal(self.denominator)).normalize()
        return f"{rate:f}"
