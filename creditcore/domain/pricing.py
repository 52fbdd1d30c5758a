"""What a call may cost, and what it did cost.

Provider prices are decimal text in USD per token. They are kept as integers in units
of 10^-30 USD, so that a price list of doubles is exact and sums need no rounding. The
only rounding is the last step, from USD to microcredits, upwards.

Rules of the price list: prompt tokens include cached and cache-writing tokens,
completion tokens include reasoning tokens, and a prompt above a tier's threshold
moves every token of the call, output too, to that tier (LiteLLM's cost calculator,
``litellm_core_utils/llm_cost_calc/utils.py``). It is longer than other modules so that
the bounds of a cost stand beside the cost.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from operator import attrgetter, mul
from typing import NamedTuple, Self

from creditcore.domain.money import MAX_INT64, Credits, decimal_ratio, div_ceil, div_floor
from creditcore.domain.units import Unit, UnitPrice

_PRICE_DECIMALS = 30
_PRICE_DIGITS = 7
_PRICE_UNITS_PER_USD = 10**_PRICE_DECIMALS
_MICROCREDITS_PER_USD_OF_BALANCE = 10**8
_PRICE_UNITS_PER_MICROUSD = _PRICE_UNITS_PER_USD // 10**6
_PRICE_UNITS_PER_PICODOLLAR = _PRICE_UNITS_PER_USD // 10**12

_SNAPSHOT_BYTES = 8
_EXACTLY = Context(prec=200)

MAX_TOKENS = 2**53
"""A count of tokens above this is nonsense and would not survive JSON."""


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
    shift = int(exponent) + _PRICE_DECIMALS
    if shift >= 0:
        return int(written + "0" * min(shift, _PRICE_DECIMALS + _PRICE_DIGITS))
    if written[shift:].strip("0"):
        raise ValueError(f"price finer than 10^-{_PRICE_DECIMALS} USD: {text!r}")
    return int(written[:shift] or "0")


def usd_text(units: int) -> str:
    """Return a price or a cost as exact decimal text in USD."""
    return _plain(Decimal(units).scaleb(-_PRICE_DECIMALS, _EXACTLY))


def _plain(number: Decimal) -> str:
    return f"{number.normalize(_EXACTLY):f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, by bucket.

    Attributes:
        prompt_tokens: All tokens read, cached and cache-writing ones included.
        completion_tokens: All tokens written, reasoning included.
        cached_tokens: Prompt tokens read from a cache.
        cache_write_tokens: Prompt tokens written to a cache, for any time.
        cache_write_1h_tokens: Those of them written for an hour.
        reasoning_tokens: Completion tokens that were thought, not shown.
        units: What the model is sold by besides (``ModelPrice.unit``), not among the tokens.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    units: int = 0

    def __post_init__(self) -> None:
        for count in _all_counts(self):
            if type(count) is not int or not 0 <= count <= MAX_TOKENS:
                raise ValueError(f"not a count of tokens: {count!r} in {self}")


_all_counts = attrgetter(*Usage.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Price of one token of each bucket, in units of 10^-30 USD.

    Attributes:
        dearest_input: The most that one prompt token can cost, whatever the cache does.
        dearest_brief_input: The same where nothing is cached for an hour.
        dearest_output: The most that one completion token can cost.
    """

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    reasoning: int

    # Every call asks for these. They follow from the rates, and are no part of what a
    # snapshot names.
    dearest_input: int = field(init=False, repr=False, compare=False)
    dearest_brief_input: int = field(init=False, repr=False, compare=False)
    dearest_output: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        brief = max(self.input, self.cache_read, self.cache_write)
        object.__setattr__(self, "dearest_brief_input", brief)
        object.__setattr__(self, "dearest_input", max(brief, self.cache_write_1h))
        object.__setattr__(self, "dearest_output", max(self.output, self.reasoning))


_BUCKETS = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
_price_of_each = attrgetter(*_BUCKETS)


def _tokens_of_each(usage: Usage) -> tuple[int, ...]:
    """Return the tokens that belong to each of the buckets: every token to one of them."""
    return (
        max(0, usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens),
        usage.cached_tokens,
        max(0, usage.cache_write_tokens - usage.cache_write_1h_tokens),
        usage.cache_write_1h_tokens,
        max(0, usage.completion_tokens - usage.reasoning_tokens),
        usage.reasoning_tokens,
    )


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates that apply to the whole call when its prompt is above a threshold."""

    above_prompt_tokens: int
    rates: Rates


class PricedTokens(NamedTuple):
    """One line of a call's cost: tokens or units of one bucket, and what each of them costs.

    Attributes:
        bucket: The name of a rate, such as ``cache_read``, or of a unit, such as ``image``.
        price_units: Price of one token, in units of 10^-30 USD.
    """

    bucket: str
    tokens: int
    price_units: int

    @property
    def cost_units(self) -> int:
        """What the line costs, in units of 10^-30 USD."""
        return self.tokens * self.price_units


class Cost(NamedTuple):
    """What a call costs, by counts that nobody has looked at yet: it may be absurdly much.

    Attributes:
        microcredits: What the caller is charged, rounded up.
        picodollars: What the provider takes, in 10^-12 USD, rounded up: for display and reports.
    """

    microcredits: int
    picodollars: int

    @property
    def can_be_stored(self) -> bool:
        """Whether both are numbers that the books can keep."""
        return max(self) <= MAX_INT64


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """The price of one model.

    Attributes:
        model: The public model name.
        rates: What applies below every tier.
        tiers: Ascending by threshold.
        max_input_tokens: The model's context, where known.
        max_output_tokens: The longest answer, where known.
        mode: What the model is for, such as ``chat`` or ``embedding``.
        features: What else it can do, such as ``vision``, as far as its list says so.
        unit: What it is sold by besides tokens of text, where that is so.
        markup: How many times its provider's price it costs, beside what the tariff says, as
            decimal text.
        retires_on: The day on which its provider turns it off, where it has said so.
        snapshot: Names these very rates: equal prices of a model have the same, and a
            call keeps it, so that its cost can be computed again for ever.
    """

    model: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    mode: str = "chat"
    features: frozenset[str] = frozenset()
    unit: UnitPrice | None = None
    markup: str = "1"
    retires_on: date | None = None
    snapshot: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        of_tokens = (self.model, self.rates, self.tiers)
        priced = repr(of_tokens if self.unit is None else (*of_tokens, self.unit)).encode()
        digest = hashlib.blake2s(priced, digest_size=_SNAPSHOT_BYTES).hexdigest()
        object.__setattr__(self, "snapshot", digest)

    def tariff(self, general: Tariff) -> Tariff:
        """Return what turns this model's provider cost into credits."""
        return general if self.markup == "1" else _marked_up(general, self.markup)

    def rates_for(self, prompt_tokens: int) -> Rates:
        """Return the rates that a prompt of this length reaches."""
        rates = self.rates
        for tier in self.tiers:
            if prompt_tokens > tier.above_prompt_tokens:
                rates = tier.rates
        return rates

    def itemize(self, usage: Usage) -> tuple[PricedTokens, ...]:
        """Return the lines that a call's cost is the sum of."""
        prices = _price_of_each(self.rates_for(usage.prompt_tokens))
        lines = tuple(map(PricedTokens, _BUCKETS, _tokens_of_each(usage), prices))
        if self.unit is None:
            return lines
        return (*lines, PricedTokens(self.unit.unit, usage.units, self.unit.price_units))

    def cost_units(self, usage: Usage) -> int:
        """Return the provider's cost of a call in units of 10^-30 USD, exactly."""
        prices = _price_of_each(self.rates_for(usage.prompt_tokens))
        units: int = sum(map(mul, _tokens_of_each(usage), prices))
        return units if self.unit is None else units + usage.units * self.unit.price_units

    def cost(self, usage: Usage, tariff: Tariff) -> Cost:
        """Return what a call costs, both ways."""
        units = self.cost_units(usage)
        return Cost(tariff.microcredits(units), div_ceil(units, _PRICE_UNITS_PER_PICODOLLAR))

    def ceiling(
        self,
        *,
        prompt_bound: int,
        output_bound: int,
        choices: int,
        tariff: Tariff,
        fixed_output: bool,
        opening: int | None = None,
        long_cache: bool = True,
        unit_bound: int = 0,
    ) -> Ceiling:
        """Return the most a call may cost, as a function of its output limit.

        A prompt may end in any tier that its bound reaches, so the dearest of them counts.

        Args:
            prompt_bound: Tokens the prompt can never exceed.
            output_bound: Tokens one choice of the answer can never exceed.
            choices: How many answers were asked for.
            tariff: What turns provider cost into credits.
            fixed_output: The caller chose the output limit, so it must be afforded
                whole, or with an opening begun; otherwise it may be lowered to what the
                wallet affords.
            opening: Output tokens of one choice to pay for at first, if the hold can
                grow while the answer streams.
            long_cache: Whether some of the prompt may be cached for an hour, which is dearer.
            unit_bound: Units that the call can never exceed, where the model is sold by any.
        """
        reached = [self.rates]
        reached += [tier.rates for tier in self.tiers if prompt_bound > tier.above_prompt_tokens]
        dearest_output = max(rates.dearest_output for rates in reached)
        dearest_input = max(
            rates.dearest_input if long_cache else rates.dearest_brief_input for rates in reached
        )
        dearest_unit = 0
        if self.unit is not None:
            dearest_unit = self.unit.price_units
            if self.unit.unit is Unit.IMAGE_TOKEN:
                # An answer's bound is one of all its tokens; some of them may be text.
                dearest_unit = max(dearest_unit, dearest_output)
        return Ceiling(
            base=(prompt_bound * dearest_input + unit_bound * dearest_unit) * tariff.numerator,
            per_output_token=choices * dearest_output * tariff.numerator,
            denominator=tariff.denominator,
            output_bound=output_bound,
            fixed_output=fixed_output,
            opening=opening,
        )


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
            * (_PRICE_UNITS_PER_USD // _MICROCREDITS_PER_USD_OF_BALANCE),
            _plain(Decimal(credits_per_usd) * Decimal(markup)),
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
def _marked_up(tariff: Tariff, markup: str) -> Tariff:
    numerator, denominator = decimal_ratio(markup)
    return Tariff(
        tariff.numerator * numerator,
        tariff.denominator * denominator,
        _plain(Decimal(tariff.multiplier) * Decimal(markup)),
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
    """

    base: int
    per_output_token: int
    denominator: int
    output_bound: int
    fixed_output: bool
    opening: int | None = None

    @property
    def least_output(self) -> int:
        """Output tokens that must be covered for the call to begin at all.

        A limit of the caller's own is kept, or, where the hold can grow, at least begun.
        """
        if not self.fixed_output:
            return 1
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
        return Credits(min(exact, MAX_INT64))

    def affordable(self, available: Credits) -> int:
        """Return the largest output limit within the bound that ``available`` covers, or 0."""
        room = available.microcredits * self.denominator - self.base
        if room < 0:
            return 0
        if self.per_output_token == 0:
            return self.output_bound
        return min(self.output_bound, div_floor(room, self.per_output_token))
