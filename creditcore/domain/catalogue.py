"""What is sold, and for how much: the model server's list under the operator's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Self

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import decimal_ratio
from creditcore.domain.pricing import ModelPrice, Rates, price_units, usd_text
from creditcore.domain.units import MODES, UnitPrice

MAX_PATTERN = 200
MAX_REASON = 500
_MAX_MARKUP = 100
_WILD = "*?["
_MILLION = 6


class RuleKind(StrEnum):
    """What a rule does to the models that it names."""

    OVERRIDE = "override"
    """Their price is this one, whatever the model server says."""

    MARKUP = "markup"
    """They cost so many times what their provider asks, instead of the general markup once."""

    HIDE = "hide"
    """They are not sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model as the model server lists it.

    Attributes:
        price: Its price there; None where it has none that could be kept to.
        fault: Why it has none, as one sentence.
    """

    model: str
    price: ModelPrice | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """One decision of an operator. It is never changed: it ends, and another one is made.

    Attributes:
        pattern: A model's name, or one with ``*`` and ``?``, upper and lower case apart.
        rates: The price of an override.
        unit: What an override sells by besides tokens; None leaves that to the model server. One
            with a unit is about models of its kind alone: of others, no such units are counted.
        factor: The markup of a markup, as decimal text.
        ends_at: When it ends by itself; None where only an operator ends it.
        ended_at: When an operator ended it.
    """

    id: str
    kind: RuleKind
    pattern: str
    rates: Rates | None = None
    unit: UnitPrice | None = None
    factor: str = "1"
    reason: str = ""
    created_at: datetime
    created_by: str = ""
    ends_at: datetime | None = None
    ended_at: datetime | None = None

    def checked(self) -> Self:
        """Return the rule, if it means something.

        Raises:
            InvalidRequestError: It does not; the error names the part.
        """
        if not 0 < len(self.pattern) <= MAX_PATTERN or not self.pattern.isprintable():
            raise InvalidRequestError(
                f"A pattern has 1 to {MAX_PATTERN} printable characters.", param="pattern"
            )
        if len(self.reason) > MAX_REASON:
            raise InvalidRequestError(
                f"A reason has at most {MAX_REASON} characters.", param="reason"
            )
        if (self.kind is RuleKind.OVERRIDE) != (self.rates is not None):
            raise InvalidRequestError("An override, and only that, has a price.", param="rates")
        if self.kind is not RuleKind.OVERRIDE and self.unit is not None:
            raise InvalidRequestError("Only an override has a price.", param="unit")
        try:
            numerator, denominator = decimal_ratio(self.factor)
        except ValueError as error:
            raise InvalidRequestError("A markup is a decimal number.", param="factor") from error
        if not 0 < numerator <= _MAX_MARKUP * denominator:
            raise InvalidRequestError(
                f"A markup is above 0, and {_MAX_MARKUP} at most.", param="factor"
            )
        if self.ends_at is not None and self.ends_at <= self.created_at:
            raise InvalidRequestError("A rule ends after it begins.", param="ends_at")
        return self

    def is_live(self, now: datetime) -> bool:
        """Whether it counts at a time."""
        return self.ended_at is None and (self.ends_at is None or now < self.ends_at)

    def matches(self, model: str) -> bool:
        """Whether it is about a model."""
        return self.pattern == model or fnmatchcase(model, self.pattern)

    def fits(self, price: ModelPrice | None) -> bool:
        """Whether a model with such a price, or with none, can be sold by what the rule says."""
        return self.unit is None or price is None or MODES[self.unit.unit] == price.mode

    def end(self, *, at: datetime) -> Self:
        """Return the rule as ended; a repeat keeps the first time."""
        return self if self.ended_at else replace(self, ended_at=at)

    @property
    def weight(self) -> tuple[bool, int, datetime, str]:
        """The heaviest of several counts: a name before patterns, then the longest, the latest."""
        is_name = not any(sign in self.pattern for sign in _WILD)
        return (is_name, len(self.pattern), self.created_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A price that was one and is another.

    Attributes:
        before, after: None where the model was, or is, not sold.
    """

    model: str
    before: ModelPrice | None
    after: ModelPrice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPrice:
    """A line in the history of a model.

    Attributes:
        price: What it cost from then on; None where it was not sold. Its limits may be left out.
    """

    model: str
    price: ModelPrice | None
    at: datetime


def units_per_token(usd_per_million: str) -> int:
    """Return the price of one token, in units of 10^-30 USD, from dollars for a million of them.

    Raises:
        ValueError: They are no price.
    """
    try:
        return price_units(str(Decimal(usd_per_million).scaleb(-_MILLION)))
    except InvalidOperation:
        raise ValueError(f"not a price: {usd_per_million!r}") from None


def usd_per_million(units: int) -> str:
    """Return the price of one token as exact decimal text of dollars for a million."""
    return f"{Decimal(usd_text(units)).scaleb(_MILLION).normalize():f}"


def flat_rates(
    *, read: int, written: int, cached: int | None = None, kept: int | None = None
) -> Rates:
    """Return the rates of an override: a bucket without a price costs what it belongs to.

    Args:
        read: Price of a token of the prompt, in units of 10^-30 USD.
        written: The same for the answer.
        cached: For a token read from a cache.
        kept: For a token written to one.
    """
    writing = read if kept is None else kept
    return Rates(
        input=read,
        output=written,
        cache_read=read if cached is None else cached,
        cache_write=writing,
        cache_write_1h=writing,
        reasoning=written,
    )


def sold(
    listed: Iterable[ListedModel], rules: Sequence[PriceRule], *, now: datetime
) -> list[ModelPrice]:
    """Return what is sold: the list under the rules that count now, by name.

    An override gives a flat price, also to a model that has none; a hidden model is not sold,
    whatever else is said of it.
    """
    live = [rule for rule in rules if rule.is_live(now)]
    found = (_sold(each, [rule for rule in live if rule.matches(each.model)]) for each in listed)
    return sorted((price for price in found if price is not None), key=lambda price: price.model)


def _sold(listed: ListedModel, rules: Sequence[PriceRule]) -> ModelPrice | None:
    if any(rule.kind is RuleKind.HIDE for rule in rules):
        return None
    price = listed.price
    override = _heaviest([rule for rule in rules if rule.fits(price)], RuleKind.OVERRIDE)
    if override is not None and override.rates is not None:
        unit = override.unit
        mode = MODES[unit.unit] if unit else "chat"
        plain = price or ModelPrice(model=listed.model, rates=override.rates, mode=mode)
        price = replace(plain, rates=override.rates, tiers=(), unit=unit or plain.unit)
    markup = _heaviest(rules, RuleKind.MARKUP)
    if price is not None and markup is not None:
        price = replace(price, markup=markup.factor)
    return price


def _heaviest(rules: Iterable[PriceRule], kind: RuleKind) -> PriceRule | None:
    return max((r for r in rules if r.kind is kind), key=lambda rule: rule.weight, default=None)


def changes(before: Iterable[ModelPrice], after: Iterable[ModelPrice]) -> list[PriceChange]:
    """Return the models whose price, markup or presence differs, by name."""
    old = {price.model: price for price in before}
    new = {price.model: price for price in after}
    return [
        PriceChange(model=model, before=old.get(model), after=new.get(model))
        for model in sorted(old.keys() | new.keys())
        if _terms(old.get(model)) != _terms(new.get(model))
    ]


def _terms(price: ModelPrice | None) -> tuple[str, str] | None:
    return None if price is None else (price.snapshot, price.markup)
