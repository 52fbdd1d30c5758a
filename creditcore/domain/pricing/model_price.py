"""The price of a model, and what a call of it costs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter, mul
from typing import NamedTuple

from creditcore.domain.money import MAX_INT64, div_ceil
from creditcore.domain.pricing.exact import PRICE_UNITS_PER_USD
from creditcore.domain.pricing.tariff import Ceiling, Tariff, make_ceiling, marked_up
from creditcore.domain.pricing.usage import Usage
from creditcore.domain.units import Unit, UnitPrice

_PRICE_UNITS_PER_PICODOLLAR = PRICE_UNITS_PER_USD // 10**12
_SNAPSHOT_BYTES = 8


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

    def dearest_prompt(self, *, long_cache: bool) -> int:
        """Return the most that one prompt token can cost, with or without an hour's cache."""
        return self.dearest_input if long_cache else self.dearest_brief_input


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
    """What a call costs, by unchecked counts: it may be absurdly much.

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
        return general if self.markup == "1" else marked_up(general, self.markup)

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
        rates = self.rates_for(usage.prompt_tokens)
        if (
            usage.cached_tokens
            or usage.cache_write_tokens
            or usage.cache_write_1h_tokens
            or usage.reasoning_tokens
        ):
            units: int = sum(map(mul, _tokens_of_each(usage), _price_of_each(rates)))
        else:
            # Most calls: the other buckets are empty.
            units = usage.prompt_tokens * rates.input + usage.completion_tokens * rates.output
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
        least: int = 1,
        long_cache: bool = True,
        unit_bound: int = 0,
    ) -> Ceiling:
        """Return the most a call may cost, as a function of its output limit.

        A prompt may end in any tier that its bound reaches, so the dearest of them counts.

        Args:
            prompt_bound: Tokens the prompt can never exceed, or what it is held for by a count.
            output_bound: Tokens one choice of the answer can never exceed.
            choices: How many answers were asked for.
            tariff: What turns provider cost into credits.
            fixed_output: The caller chose the output limit, so it must be afforded
                whole, or with an opening begun; otherwise it may be lowered to what the
                wallet affords.
            opening: Output tokens of one choice to pay for at first, if the hold can
                grow while the answer streams.
            least: Output tokens that are worth a beginning, where the output may be lowered.
            long_cache: Whether some of the prompt may be cached for an hour, which is dearer.
            unit_bound: Units that the call can never exceed, where the model is sold by any.
        """
        dearest_output = self.rates.dearest_output
        dearest_input = self.rates.dearest_prompt(long_cache=long_cache)
        for tier in self.tiers:
            if prompt_bound > tier.above_prompt_tokens:
                dearest_output = max(dearest_output, tier.rates.dearest_output)
                tier_input = tier.rates.dearest_prompt(long_cache=long_cache)
                dearest_input = max(dearest_input, tier_input)
        dearest_unit = 0
        if self.unit is not None:
            dearest_unit = self.unit.price_units
            if self.unit.unit is Unit.IMAGE_TOKEN:
                # An answer's bound is one of all its tokens; some of them may be text.
                dearest_unit = max(dearest_unit, dearest_output)
        return make_ceiling(
            base=(prompt_bound * dearest_input + unit_bound * dearest_unit) * tariff.numerator,
            per_output_token=choices * dearest_output * tariff.numerator,
            denominator=tariff.denominator,
            output_bound=output_bound,
            fixed_output=fixed_output,
            opening=opening,
            least=least,
        )
