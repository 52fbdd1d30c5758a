import json
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import ModelPrice, Tariff, Tier, Usage, price_units
from tests.unit.wires.recordings import VERSIONS, body_of

_COSTS = json.loads(
    (Path(__file__).parents[2] / "data" / "litellm-costs.json").read_text(),
    parse_float=Decimal,
)
_CASES: list[dict[str, Any]] = _COSTS["cases"]
_TARIFFS = {"1": ("1", "1"), "2": ("2", "1.0"), "2 + 15 %": ("2", "1.15")}


def price_list(*rows: str) -> list[ModelPrice]:
    return list(read_catalogue(f'{{"data": [{", ".join(rows)}]}}'.encode()).prices)


def a_row(name: str = "m", *, given: str = "", **info: str) -> str:
    """Write a row; values are JSON text, exactly as it would be sent.

    Args:
        name: What clients call the model.
        given: What the operator wrote into its ``litellm_params``.
        info: Its prices and limits.
    """
    prices = {"input_cost_per_token": "1e-06", "output_cost_per_token": "2e-06", **info}
    written = ", ".join(f'"{key}": {value}' for key, value in prices.items())
    return f'{{"model_name": "{name}", "litellm_params": {{{given}}}, "model_info": {{{written}}}}}'


@pytest.fixture(scope="module")
def recorded_prices() -> dict[str, ModelPrice]:
    rows = [
        # The operator repeats the prices, so that free models are meant to be free.
        {"model_name": name, "model_info": info, "litellm_params": info}
        for name, info in _COSTS["models"].items()
    ]
    body = json.dumps({"data": rows}, default=float).encode()
    return {price.model: price for price in read_catalogue(body).prices}


def usage_of(case: dict[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=case["prompt_tokens"],
        completion_tokens=case["completion_tokens"],
        cached_tokens=case["cached_tokens"],
        cache_write_tokens=case["cache_creation_tokens"],
        reasoning_tokens=case["reasoning_tokens"],
    )


def test_every_recorded_model_has_a_price(recorded_prices: dict[str, ModelPrice]) -> None:
    assert set(recorded_prices) == set(_COSTS["models"])
    assert len(_CASES) == 294


def test_cost_agrees_with_every_cost_litellm_computed(
    recorded_prices: dict[str, ModelPrice],
) -> None:
    for case in _CASES:
        cost = Fraction(recorded_prices[case["model"]].cost_units(usage_of(case)), 10**30)

        recorded = Fraction(Decimal(case["cost_usd"]))

        assert abs(cost - recorded) <= recorded * Fraction(1, 10**12), case


@pytest.mark.parametrize("tariff", _TARIFFS)
def test_charge_is_the_recorded_cost_rounded_up_once(
    recorded_prices: dict[str, ModelPrice], tariff: str
) -> None:
    credits_per_usd, markup = _TARIFFS[tariff]
    charge = Tariff.parse(credits_per_usd=credits_per_usd, markup=markup).charge
    for case in _CASES:
        # LiteLLM adds floats; below 10^-15 relative stands only their noise.
        clean = Decimal(f"{Decimal(case['cost_usd']):.14e}")
        microcredits = clean * Decimal(credits_per_usd) * Decimal(markup) * 10**8

        charged = charge(recorded_prices[case["model"]].cost_units(usage_of(case)))

        expected = microcredits.to_integral_value(rounding=ROUND_CEILING)
        assert charged.microcredits == expected, case


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_price_list_is_read(version: str) -> None:
    prices = {price.model: price for price in read_catalogue(body_of(version, "model-info")).prices}

    claude = prices["claude-sonnet-4-5"]
    assert claude.rates.input == price_units("0.000003")
    assert claude.rates.cache_write_1h == price_units("0.000006")
    assert claude.rates.reasoning == claude.rates.output
    assert [tier.above_prompt_tokens for tier in claude.tiers] == [200_000]
    assert claude.tiers[0].rates.cache_write_1h == price_units("0.000012")
    assert (claude.max_input_tokens, claude.max_output_tokens) == (200_000, 64_000)
    assert prices["text-embedding-3-small"].mode == "embedding"
    assert prices["text-embedding-3-small"].max_output_tokens is None
    assert "sim-cut" not in prices


def test_price_text_is_kept_exactly() -> None:
    (price,) = price_list(a_row(input_cost_per_token="1.2345678901234567e-07"))

    assert price.rates.input == 123456789012345670000000


def test_free_is_a_price_where_the_operator_wrote_it() -> None:
    (price,) = price_list(
        a_row(
            given='"input_cost_per_token": 0.0, "output_cost_per_token": 0',
            input_cost_per_token="0",
            output_cost_per_token="0.0",
        )
    )

    assert price.rates.dearest_input == price.rates.dearest_output == 0


@pytest.mark.parametrize(
    ("given", "info"),
    [
        ("", {"input_cost_per_token": "0", "output_cost_per_token": "0"}),
        ("", {"input_cost_per_token": "0", "output_cost_per_token": "2e-06"}),
        ("", {"input_cost_per_token": "1e-06", "output_cost_per_token": "0"}),
        ('"input_cost_per_token": 0', {"input_cost_per_token": "0", "output_cost_per_token": "0"}),
        (
            '"input_cost_per_second": 0.001',
            {
                "input_cost_per_token": "0",
                "output_cost_per_token": "0",
                "input_cost_per_second": "0.001",
            },
        ),
        (
            "",
            {"mode": '"embedding"', "input_cost_per_token": "0", "output_cost_per_token": "0"},
        ),
    ],
)
def test_a_zero_that_litellm_filled_in_is_no_price(given: str, info: dict[str, str]) -> None:
    found = read_catalogue(f'{{"data": [{a_row("m", given=given, **info)}]}}'.encode())

    assert found.prices == []
    assert found.unpriced == ["m"]


def test_an_embedding_costs_its_input_alone() -> None:
    (price,) = price_list(a_row(mode='"embedding"', output_cost_per_token="0"))

    assert price.rates.input == price_units("0.000001")


def test_what_is_not_sold_here_is_not_called_unpriced() -> None:
    row = a_row(mode='"image_edit"', input_cost_per_token="0")

    assert read_catalogue(f'{{"data": [{row}]}}'.encode()).unpriced == []


def test_unknown_cache_and_reasoning_prices_are_those_of_ordinary_tokens() -> None:
    (price,) = price_list(a_row(input_cost_per_token_above_200k_tokens="3e-06"))

    for rates in (price.rates, price.tiers[0].rates):
        assert rates.cache_read == rates.cache_write == rates.cache_write_1h == rates.input
        assert rates.reasoning == rates.output


def test_what_a_tier_does_not_name_keeps_its_base_price() -> None:
    (price,) = price_list(
        a_row(
            cache_read_input_token_cost="1e-07",
            cache_creation_input_token_cost="1.25e-06",
            input_cost_per_token_above_272k_tokens="3e-06",
        )
    )

    (tier,) = price.tiers
    assert tier.rates.input == price_units("3e-06")
    assert tier.rates.output == price.rates.output
    assert tier.rates.cache_read == price.rates.cache_read
    assert tier.rates.cache_write == price.rates.cache_write


@pytest.mark.parametrize(("provider", "first_dearer"), [("openai", 200_001), ("xai", 200_000)])
def test_tier_begins_behind_its_threshold_but_at_it_for_xai(
    provider: str, first_dearer: int
) -> None:
    (price,) = price_list(
        a_row(litellm_provider=f'"{provider}"', input_cost_per_token_above_200k_tokens="9e-06")
    )

    assert price.rates_for(first_dearer - 1) == price.rates
    assert price.rates_for(first_dearer).input == price_units("9e-06")


@pytest.mark.parametrize(
    "bad",
    [
        a_row(input_cost_per_token="null"),
        a_row(output_cost_per_token="null"),
        a_row(input_cost_per_token="NaN"),
        a_row(input_cost_per_token="Infinity"),
        a_row(input_cost_per_token="-1e-06"),
        a_row(input_cost_per_token='"1e-06"'),
        a_row(input_cost_per_token="true"),
        a_row(input_cost_per_token="1e-999999999"),
        a_row(input_cost_per_token="1e99999999999999999999"),
        a_row(input_cost_per_token="9" * 5000),
        a_row(cache_read_input_token_cost="-1"),
        a_row(input_cost_per_token_above_200k_tokens='"x"'),
        a_row(mode='"image_generation"'),
        a_row(mode='"audio_transcription"', output_cost_per_token="null"),
        a_row(mode="[]"),
        a_row(tiered_pricing='[{"range": [0, 1]}]'),
        a_row(name="openai/*"),
        a_row(name=""),
        a_row(name="x" * 201),
        '{"model_name": "m"}',
        '{"model_name": "m", "model_info": []}',
        '{"model_info": {}}',
        "null",
        "[]",
        "7",
    ],
)
def test_bad_row_is_left_out_and_spoils_nothing(bad: str) -> None:
    assert [price.model for price in price_list(bad, a_row(name="good"))] == ["good"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"data": {}}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_price_list_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any, that is the promise
        read_catalogue(body)


def test_output_limit_falls_back_to_the_old_field() -> None:
    (price,) = price_list(a_row(max_output_tokens="null", max_tokens="4096.0"))

    assert price.max_output_tokens == 4096


@pytest.mark.parametrize("limit", ["0", "-5", '"many"', "NaN", "1e300"])
def test_nonsensical_limit_is_unknown(limit: str) -> None:
    (price,) = price_list(a_row(max_output_tokens=limit))

    assert price.max_output_tokens is None


def test_of_several_deployments_the_dearest_of_each_rate_counts() -> None:
    (price,) = price_list(
        a_row(
            input_cost_per_token="1e-06",
            output_cost_per_token="9e-06",
            input_cost_per_token_above_100k_tokens="7e-06",
            max_input_tokens="200000",
            max_output_tokens="1000",
        ),
        a_row(
            input_cost_per_token="5e-06",
            output_cost_per_token="2e-06",
            max_input_tokens="300000",
        ),
    )

    assert price.rates.input == price_units("5e-06")
    assert price.rates.output == price_units("9e-06")
    assert price.tiers == (Tier(100_000, price.rates_for(100_001)),)
    assert price.rates_for(100_001).input == price_units("7e-06")
    assert price.max_input_tokens == 300_000
    assert price.max_output_tokens is None


def test_what_a_model_can_do_is_read_where_the_list_says_so() -> None:
    [price] = price_list(
        a_row(
            supports_vision="true",
            supports_prompt_caching="true",
            supports_reasoning="null",
            supports_pdf_input='"yes"',
        )
    )

    assert price.features == {"vision", "prompt_caching"}


def test_what_gives_no_text_can_do_nothing_of_what_text_is_asked_for() -> None:
    [price] = price_list(a_row(mode='"embedding"', supports_response_schema="true"))

    assert price.features == frozenset()


def test_of_several_deployments_only_what_all_can_do_counts() -> None:
    [price] = price_list(
        a_row(supports_vision="true", supports_reasoning="true"), a_row(supports_vision="true")
    )

    assert price.features == {"vision"}


def faults(*rows: str) -> dict[str, str]:
    return dict(read_catalogue(f'{{"data": [{", ".join(rows)}]}}'.encode()).faults)


@pytest.mark.parametrize(
    "name",
    [
        "input_cost_per_request",
        "citation_cost_per_token",
        "input_cost_per_character",
        "input_cost_per_token_moonlight",
        "cost_per_thought",
        "night_pricing",
    ],
)
def test_a_price_that_is_not_understood_is_not_given_away(name: str) -> None:
    assert faults(a_row(**{name: "0.01"})) == {"m": f"its price {name} is not understood here"}
    assert price_list(a_row(**{name: "0"}))
    assert price_list(a_row(**{name: "null"}))


@pytest.mark.parametrize(
    "name",
    [
        "input_cost_per_token_priority",
        "output_cost_per_token_above_272k_tokens_ultrafast",
        "input_cost_per_token_batches",
        "output_cost_per_audio_token",
        "cache_creation_input_audio_token_cost",
        "input_cost_per_image_token",
        "output_cost_per_image_0.5K",
        "input_cost_per_video_per_second_above_8s_interval",
        "search_context_cost_per_query",
        "google_maps_grounding_cost_per_query",
        "code_interpreter_cost_per_session",
        "off_peak_pricing",
    ],
)
def test_a_price_of_what_cannot_be_asked_for_changes_nothing(name: str) -> None:
    assert price_list(a_row(**{name: "0.01"})) == price_list(a_row())


@pytest.mark.parametrize("mode", ["chat", "responses"])
def test_images_that_come_unasked_are_not_sold_at_the_price_of_text(mode: str) -> None:
    """The map of 1.110.2 has databricks-gemini-3-pro-image so: ten times the price of its text."""
    name = "output_cost_per_image_token"

    dear = faults(a_row(mode=f'"{mode}"', **{name: "3e-05"}))

    assert dear == {"m": f"it makes images, whose price {name} is above that of its text"}
    assert price_list(a_row(mode=f'"{mode}"', **{name: "2e-06"}))


def test_a_list_of_what_the_operator_priced_is_no_price() -> None:
    # Recorded from 1.108.7, which puts it on every model.
    named = '["input_cost_per_token", "output_cost_per_token"]'

    assert price_list(a_row(pricing_overrides=named)) == price_list(a_row())
    assert price_list(a_row(pricing_overrides="[]")) == price_list(a_row())


def test_of_several_ages_of_a_cache_the_dearest_counts() -> None:
    [price] = price_list(
        a_row(
            cache_creation_input_token_cost_above_1hr="3e-06",
            cache_creation_input_token_cost_above_12hr="4e-06",
            input_cost_per_token_above_32k_tokens="5e-06",
            cache_creation_input_token_cost_above_12hr_above_32k_tokens="9e-06",
        )
    )

    assert price.rates.cache_write_1h == price_units("4e-06")
    assert price.rates_for(32_001).cache_write_1h == price_units("9e-06")


def test_a_table_of_ranges_counts_for_the_whole_call() -> None:
    table = (
        '[{"range": [0, 256000], "input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07},'
        ' {"range": [256000, 1000000], "input_cost_per_token": 2.5e-07,'
        ' "output_cost_per_token": 2e-06}]'
    )
    [price] = price_list(a_row(tiered_pricing=table))

    assert price.rates_for(256_000).output == price_units("4e-07")
    assert price.rates_for(256_001).output == price_units("2e-06")


@pytest.mark.parametrize(
    "table",
    [
        "7",
        "[{}]",
        '[{"range": [5, 9], "input_cost_per_token": 1, "output_cost_per_token": 1}]',
        '[{"range": [0, 9], "input_cost_per_token": 1}]',
        '[{"range": [0, 9], "input_cost_per_query": 1}]',
    ],
)
def test_a_table_that_is_none_sells_nothing(table: str) -> None:
    assert faults(a_row(tiered_pricing=table)).keys() == {"m"}


def test_the_day_on_which_a_model_ends_is_read() -> None:
    [price] = price_list(a_row(deprecation_date='"2026-12-31"'))

    assert price.retires_on == date(2026, 12, 31)
    assert price_list(a_row(deprecation_date='"soon"'))[0].retires_on is None


def test_a_zero_that_nobody_wrote_makes_no_part_of_a_price_free() -> None:
    zeros = {"output_cost_per_reasoning_token": "0", "input_cost_per_token_above_200k_tokens": "0"}
    written = ", ".join(f'"{name}": 0' for name in zeros)

    [filled] = price_list(a_row(**zeros))
    [meant] = price_list(a_row(given=written, **zeros))

    assert filled.rates.reasoning == filled.rates.output
    assert [tier.rates.input for tier in filled.tiers] == [filled.rates.input]
    assert (meant.rates.reasoning, [tier.rates.input for tier in meant.tiers]) == (0, [0])
