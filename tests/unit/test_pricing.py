"""A call costs its exact price, and its ceiling is never below it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import Ceiling, Credits, ModelPrice, Rates, Tariff, Tier, Usage, price_units
from creditcore.domain.money import MAX_INT64
from creditcore.domain.pricing import MAX_TOKENS

UNITS_PER_USD = 10**30

prices = st.integers(0, 10**27)
"""Up to a thousandth of a dollar for one token: twenty times the dearest model there is."""

counts = st.integers(0, 300_000)

rates = st.builds(
    Rates,
    input=prices,
    output=prices,
    cache_read=prices,
    cache_write=prices,
    cache_write_1h=prices,
    reasoning=prices,
)
tariffs = st.builds(
    lambda credits_, markup: Tariff.parse(credits_per_usd=str(credits_), markup=str(markup)),
    st.decimals("0.01", 100, places=2),
    st.decimals("0.01", 10, places=2),
)


def flat(units: int) -> Rates:
    return Rates(
        input=units,
        output=units,
        cache_read=units,
        cache_write=units,
        cache_write_1h=units,
        reasoning=units,
    )


@st.composite
def models(draw: st.DrawFn) -> ModelPrice:
    thresholds = draw(st.lists(st.integers(1, 300_000), max_size=3, unique=True))
    return ModelPrice(
        model="any",
        rates=draw(rates),
        tiers=tuple(Tier(threshold, draw(rates)) for threshold in sorted(thresholds)),
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usage whose parts are inside their wholes, as the wire promises."""
    prompt, completion = draw(counts), draw(counts)
    cached = draw(st.integers(0, prompt))
    written = draw(st.integers(0, prompt - cached))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        reasoning_tokens=draw(st.integers(0, completion)),
    )


@given(models(), usages(), tariffs, st.tuples(counts, counts), st.integers(1, 4))
def test_no_usage_within_its_bounds_costs_more_than_the_ceiling(
    price: ModelPrice, usage: Usage, tariff: Tariff, room: tuple[int, int], choices: int
) -> None:
    prompt_room, output_room = room
    ceiling = price.ceiling(
        prompt_bound=usage.prompt_tokens + prompt_room,
        output_bound=-(-usage.completion_tokens // choices) + output_room,
        choices=choices,
        tariff=tariff,
        fixed_output=True,
    )

    assert tariff.charge(price.cost_units(usage)) <= ceiling.amount()


@given(models(), tariffs, st.tuples(counts, counts), st.integers(0, 10**15), st.integers(1, 4))
def test_the_affordable_limit_is_the_largest_that_fits(
    price: ModelPrice, tariff: Tariff, bounds: tuple[int, int], available: int, choices: int
) -> None:
    prompt_bound, output_bound = bounds
    ceiling = price.ceiling(
        prompt_bound=prompt_bound,
        output_bound=output_bound,
        choices=choices,
        tariff=tariff,
        fixed_output=False,
    )

    most = ceiling.affordable(Credits(available))

    assert 0 <= most <= output_bound
    if most:
        assert ceiling.amount(most).microcredits <= available
    if most < output_bound:
        assert ceiling.amount(most + 1).microcredits > available


@given(usages(), tariffs, prices)
def test_a_charge_rounds_up_once_by_less_than_a_microcredit(
    usage: Usage, tariff: Tariff, units: int
) -> None:
    price = ModelPrice(model="flat", rates=flat(units))

    cost = price.cost_units(usage)
    exact = Fraction(cost * tariff.numerator, tariff.denominator)

    assert cost == units * (usage.prompt_tokens + usage.completion_tokens)
    assert 0 <= tariff.charge(cost).microcredits - exact < 1


@given(usages())
def test_every_token_is_priced_once(usage: Usage) -> None:
    price = ModelPrice(model="flat", rates=flat(1))

    assert price.cost_units(usage) == usage.prompt_tokens + usage.completion_tokens


@given(models(), usages())
def test_the_lines_of_a_cost_add_up_to_it(price: ModelPrice, usage: Usage) -> None:
    lines = price.itemize(usage)

    assert sum(line.cost_units for line in lines) == price.cost_units(usage)
    rates = price.rates_for(usage.prompt_tokens)
    assert all(line.price_units == getattr(rates, line.bucket) for line in lines)


@pytest.mark.parametrize(
    "usage",
    [
        Usage(prompt_tokens=5, cached_tokens=9, completion_tokens=4),
        Usage(prompt_tokens=9, cache_write_tokens=5, cache_write_1h_tokens=9, completion_tokens=4),
        Usage(prompt_tokens=9, completion_tokens=4, reasoning_tokens=4),
        Usage(prompt_tokens=9, completion_tokens=1, reasoning_tokens=4),
    ],
)
def test_a_part_that_outgrows_its_whole_makes_no_token_cheaper_than_nothing(usage: Usage) -> None:
    price = ModelPrice(model="flat", rates=flat(1))

    assert price.cost_units(usage) >= 9 + 4
    assert min(line.tokens for line in price.itemize(usage)) == 0


def test_a_snapshot_names_the_same_rates_for_ever() -> None:
    dear = replace(flat(1), output=10, reasoning=100)

    price = ModelPrice(model="demo", rates=dear, tiers=(Tier(100, flat(2)),))

    assert price.snapshot == "edab9a09f7c42539"


def test_each_kind_of_token_has_its_own_price() -> None:
    price = ModelPrice(
        model="demo",
        rates=Rates(
            input=1,
            output=10,
            cache_read=100,
            cache_write=1_000,
            cache_write_1h=10_000,
            reasoning=100_000,
        ),
    )
    usage = Usage(
        prompt_tokens=2 + 3 + 4 + 5,
        cached_tokens=3,
        cache_write_tokens=4 + 5,
        cache_write_1h_tokens=5,
        completion_tokens=6 + 7,
        reasoning_tokens=7,
    )

    assert price.cost_units(usage) == 2 + 6 * 10 + 3 * 100 + 4 * 1_000 + 5 * 10_000 + 7 * 100_000


def test_a_tier_moves_the_whole_call_above_its_threshold_and_not_at_it() -> None:
    price = ModelPrice(model="long", rates=flat(1), tiers=(Tier(100, flat(2)), Tier(200, flat(3))))

    costs = [
        price.cost_units(Usage(prompt_tokens=prompt, completion_tokens=50))
        for prompt in (100, 101, 200, 201)
    ]

    assert costs == [150, 302, 500, 753]


def test_the_ceiling_reaches_a_tier_as_soon_as_a_prompt_may() -> None:
    price = ModelPrice(model="long", rates=flat(1), tiers=(Tier(100, flat(2)),))

    ceilings = [
        price.ceiling(
            prompt_bound=prompt_bound,
            output_bound=50,
            choices=1,
            tariff=Tariff(1, 1, "1"),
            fixed_output=True,
        )
        for prompt_bound in (100, 101)
    ]

    assert [ceiling.amount() for ceiling in ceilings] == [Credits(150), Credits(302)]


def test_a_cheaper_tier_does_not_lower_the_ceiling_of_a_prompt_that_may_miss_it() -> None:
    price = ModelPrice(model="bulk", rates=flat(10), tiers=(Tier(100, flat(1)),))
    tariff = Tariff(1, 1, "1")

    ceiling = price.ceiling(
        prompt_bound=150, output_bound=0, choices=1, tariff=tariff, fixed_output=True
    )

    assert ceiling.amount() == Credits(1500)


def test_a_dollar_of_provider_cost_is_its_credits_times_the_markup() -> None:
    tariff = Tariff.parse(credits_per_usd="2", markup="1.25")

    assert tariff.charge(UNITS_PER_USD) == Credits.of(250)


@pytest.mark.parametrize(("credits_per_usd", "markup"), [("0", "1"), ("2", "0"), ("-2", "1")])
def test_a_tariff_is_above_zero(credits_per_usd: str, markup: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Tariff.parse(credits_per_usd=credits_per_usd, markup=markup)


def test_the_smallest_cost_there_is_costs_a_microcredit() -> None:
    tariff = Tariff.parse()

    assert tariff.charge(1) == Credits(1)
    assert tariff.charge(0) == Credits(0)


def test_a_fixed_amount_is_a_ceiling_that_cannot_be_lowered() -> None:
    ceiling = Ceiling.of(Credits(7))

    assert ceiling.amount() == Credits(7)
    assert ceiling.fixed_output


@given(st.integers(0, 10**36))
def test_a_price_of_thirty_decimals_is_read_exactly(units: int) -> None:
    whole, fraction = divmod(units, UNITS_PER_USD)

    assert price_units(f"{whole}.{fraction:030d}") == units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("0e5", 0),
        ("-0", 0),
        ("1.5e-07", 15 * 10**22),
        ("1E-30", 1),
        ("10e-31", 1),
        ("1000000", 10**36),
        ("1e6", 10**36),
    ],
)
def test_prices_are_read_as_price_lists_write_them(text: str, units: int) -> None:
    assert price_units(text) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "free",
        "null",
        "NaN",
        "-NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "-1e-9",
        "1000001",
        "1e999999999",
        "1e-31",
        "1e-999999999",
        "1.5e-30",
        "1,5",
    ],
)
def test_what_is_no_exact_price_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="price"):
        price_units(text)


@pytest.mark.parametrize("count", [-1, MAX_TOKENS + 1, 1.0, True, "1", None])
def test_only_sane_integers_are_counts_of_tokens(count: object) -> None:
    with pytest.raises(ValueError, match="prompt_tokens"):
        Usage(prompt_tokens=count)  # type: ignore[arg-type]


def test_a_cost_that_no_column_keeps_is_refused_and_not_wrapped_around() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Tariff.parse().charge(MAX_INT64 * UNITS_PER_USD)


def test_the_price_of_an_hour_in_the_cache_is_held_only_where_it_may_be_asked_for() -> None:
    rates = Rates(input=2, output=1, cache_read=1, cache_write=3, cache_write_1h=5, reasoning=1)
    price = ModelPrice(model="m", rates=rates)
    tariff = Tariff(1, 1, "1")

    def held(*, long_cache: bool) -> int:
        return (
            price.ceiling(
                prompt_bound=10,
                output_bound=0,
                choices=1,
                tariff=tariff,
                fixed_output=True,
                long_cache=long_cache,
            )
            .amount()
            .microcredits
        )

    assert held(long_cache=False) == 30
    assert held(long_cache=True) == 50
