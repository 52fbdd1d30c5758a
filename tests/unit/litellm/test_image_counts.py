"""Only of models that are surely known is it believed how they count an image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.image_counts import image_features
from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import IMAGES_IN_PATCHES, IMAGES_IN_TILES, IMAGES_SCALED_DOWN


def info(provider: str, key: str) -> dict[str, str]:
    return {"litellm_provider": provider, "key": key}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "anthropic/claude-opus-5"),
        ("gemini", "gemini/gemini-2.5-pro"),
        ("vertex_ai-language-models", "vertex_ai/gemini-3-pro-preview"),
        ("bedrock_converse", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_model_that_scales_images_down_is_known_by_its_name(provider: str, model: str) -> None:
    assert image_features(info(provider, model), {"model": model}) == {IMAGES_SCALED_DOWN}


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "o3", "gpt-4.1-2025-04-14", "chatgpt-4o-latest"]
)
def test_one_that_counts_in_tiles_scales_them_down_too(model: str) -> None:
    features = {IMAGES_IN_TILES, IMAGES_SCALED_DOWN}

    assert image_features(info("openai", model), {"model": model}) == features


@pytest.mark.parametrize("model", ["openai/gpt-5.4-2026-03-05", "gpt-5-nano", "gpt-4.1-mini"])
def test_so_is_one_that_counts_all_of_an_image(model: str) -> None:
    assert image_features(info("openai", model), {"model": model}) == {IMAGES_IN_PATCHES}


@pytest.mark.parametrize(
    ("provider", "key", "given"),
    [
        ("openai", "gpt-4o-mini", {"model": "openai/gpt-4o-mini"}),
        ("openai", "gpt-4o-mini-2024-07-18", {}),
        ("openai", "gpt-4o", {"model": "openai/gpt-4o", "base_model": "gpt-4o-mini"}),
        ("openai", "gpt-4o", {"model": "openai/gpt-4o", "api_base": "https://relay.example"}),
        # A deployment of Azure has the name that its owner gave it.
        ("azure", "azure/gpt-4o", {"model": "azure/gpt-4o"}),
        ("gemini", "gemini/gemma-3-27b-it", {}),
        ("openai", "ft:gpt-4o", {}),
        # Two that count otherwise.
        ("openai", "gpt-4o", {"model": "openai/gpt-5"}),
        ("openai", "", {}),
    ],
)
def test_any_other_is_not(provider: str, key: str, given: dict[str, str]) -> None:
    assert not image_features(info(provider, key), given)


@given(
    st.dictionaries(
        st.sampled_from(["litellm_provider", "key", "base_model"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text()),
    ),
    st.none() | st.lists(st.text()) | st.dictionaries(st.just("model"), st.integers() | st.text()),
)
def test_odd_rows_are_not_known(row: dict[str, Any], given: object) -> None:
    assert not image_features(row, given)


def test_it_is_a_feature_of_the_price() -> None:
    prices = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
    row = {"model_name": "m", "model_info": prices | info("openai", "gpt-4o")}

    [price] = read_catalogue(json.dumps({"data": [row]}).encode()).prices

    assert IMAGES_SCALED_DOWN in price.features
