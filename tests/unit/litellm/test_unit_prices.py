"""Models that are sold by something else than tokens of text, as LiteLLM 1.91.5 lists them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import ModelPrice, Usage, price_units
from creditcore.domain.units import Unit
from creditcore.ports.model_gateway import Catalogue

IMAGES, SPEECH, HEARING = "image_generation", "audio_speech", "audio_transcription"


def catalogue(*infos: dict[str, Any], given: dict[str, Any] | None = None) -> Catalogue:
    # LiteLLM fills the two prices of tokens with the integer 0 where it knows none.
    filled = [{"input_cost_per_token": 0, "output_cost_per_token": 0, **info} for info in infos]
    rows = [
        {"model_name": "m", "model_info": info, "litellm_params": given or {}} for info in filled
    ]
    return read_catalogue(json.dumps({"data": rows}).encode())


def the_price(info: dict[str, Any], given: dict[str, Any] | None = None) -> ModelPrice:
    (price,) = catalogue(info, given=given).prices
    return price


@pytest.mark.parametrize(
    ("mode", "prices", "unit", "usd"),
    [
        (IMAGES, {"input_cost_per_image": 0.04}, Unit.IMAGE, "0.04"),
        (
            IMAGES,
            {"input_cost_per_image": 0.0, "output_cost_per_image": 0.008},
            Unit.IMAGE,
            "0.008",
        ),
        (IMAGES, {"output_cost_per_image_token": 4e-05}, Unit.IMAGE_TOKEN, "0.00004"),
        (
            IMAGES,
            {"output_cost_per_image": 0.039, "output_cost_per_image_token": 3e-05},
            Unit.IMAGE_TOKEN,
            "0.00003",
        ),
        (SPEECH, {"input_cost_per_character": 1.5e-05}, Unit.CHARACTER, "0.000015"),
        (
            HEARING,
            {"input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001},
            Unit.MILLISECOND,
            "0.0000001",
        ),
        (
            HEARING,
            {"input_cost_per_second": 3.333e-05, "output_cost_per_second": 0.0},
            Unit.MILLISECOND,
            "0.00000003333",
        ),
        (
            HEARING,
            {
                "input_cost_per_audio_token": 6e-06,
                "input_cost_per_token": 2.5e-06,
                "output_cost_per_token": 1e-05,
            },
            Unit.AUDIO_TOKEN,
            "0.000006",
        ),
        (
            HEARING,
            # As LiteLLM 1.110.2 lists gpt-4o-transcribe.
            {
                "input_cost_per_second": 0.0001,
                "input_cost_per_audio_token": 2.5e-06,
                "input_cost_per_token": 2.5e-06,
                "output_cost_per_token": 1e-05,
            },
            Unit.AUDIO_TOKEN,
            "0.0000025",
        ),
        (
            HEARING,
            {"input_cost_per_second": 5e-05, "input_cost_per_audio_token": 2e-06},
            Unit.MILLISECOND,
            "0.00000005",
        ),
        ("rerank", {"input_cost_per_query": 0.002}, Unit.SEARCH, "0.002"),
    ],
)
def test_a_model_is_sold_by_what_has_a_price(
    mode: str, prices: dict[str, float], unit: Unit, usd: str
) -> None:
    price = the_price({"mode": mode, **prices})

    assert price.unit == (unit, price_units(usd))


@pytest.mark.parametrize(
    "info",
    [
        {"mode": IMAGES},
        {"mode": IMAGES, "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        {"mode": IMAGES, "output_cost_per_image": 0.0},
        {"mode": SPEECH, "input_cost_per_token": 2.5e-06, "output_cost_per_audio_token": 1e-05},
        {"mode": SPEECH, "input_cost_per_character": None},
        {"mode": HEARING},
        {"mode": HEARING, "input_cost_per_audio_token": 6e-06},
        {"mode": "rerank", "input_cost_per_query": 0.0},
        {"mode": "moderation"},
    ],
)
def test_a_model_without_a_price_for_what_it_is_sold_by_is_not_offered(
    info: dict[str, Any],
) -> None:
    found = catalogue(info)
    assert (found.prices, found.unpriced, found.faults.keys()) == ([], ["m"], {"m"})


def test_zero_is_a_price_where_the_operator_wrote_it() -> None:
    assert the_price({"mode": "moderation"}, {"input_cost_per_token": 0.0}).unit is None
    free = the_price(
        {"mode": SPEECH, "input_cost_per_character": 0.0}, {"input_cost_per_character": 0.0}
    )
    assert free.unit == (Unit.CHARACTER, 0)


def test_two_deployments_cost_the_dearest_and_must_be_sold_alike() -> None:
    cheap, dear = ({"mode": IMAGES, "output_cost_per_image": usd} for usd in (0.02, 0.04))
    by_token = {"mode": IMAGES, "output_cost_per_image_token": 4e-05}
    by_text = {"mode": "rerank", "input_cost_per_token": 1e-06}

    (price,) = catalogue(cheap, dear).prices

    assert price.unit == (Unit.IMAGE, price_units("0.04"))
    found = catalogue(cheap, by_token)
    assert (found.prices, found.unpriced, found.faults.keys()) == ([], ["m"], {"m"})
    assert catalogue(by_text, {"mode": "rerank", "input_cost_per_query": 0.002}).prices == []


def test_tokens_beside_the_unit_are_charged_too() -> None:
    price = the_price(
        {"mode": IMAGES, "input_cost_per_token": 5e-06, "output_cost_per_image_token": 4e-05}
    )

    cost = price.cost_units(Usage(prompt_tokens=7, units=1_056))

    assert cost == 7 * price_units("0.000005") + 1_056 * price_units("0.00004")
    assert (
        sum(line.cost_units for line in price.itemize(Usage(prompt_tokens=7, units=1_056))) == cost
    )


def test_a_price_of_tokens_alone_keeps_the_name_of_its_snapshot() -> None:
    text = the_price(
        {"mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}
    )
    image = the_price({"mode": IMAGES, "output_cost_per_image": 0.04})
    dearer = the_price({"mode": IMAGES, "output_cost_per_image": 0.05})

    assert text.snapshot == "9010e0817f8fca4f"
    assert image.snapshot != dearer.snapshot
