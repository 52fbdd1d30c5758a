"""Only models that are surely known are trusted to count an image moderately."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.image_counts import counts_moderately
from adapters.litellm.prices import read_price
from creditcore.domain.pricing import MODERATE_IMAGES


def info(provider: str, key: str) -> dict[str, str]:
    return {"litellm_provider": provider, "key": key}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "openai/gpt-5.4-2026-03-05"),
        ("openai", "o3"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "anthropic/claude-opus-5"),
        ("gemini", "gemini/gemini-2.5-pro"),
        ("vertex_ai-language-models", "vertex_ai/gemini-3-pro-preview"),
        ("bedrock_converse", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_model_by_its_providers_own_name_is_known(provider: str, model: str) -> None:
    assert counts_moderately(info(provider, model), {"model": model})


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
        ("openai", "", {}),
    ],
)
def test_any_other_is_not(provider: str, key: str, given: dict[str, str]) -> None:
    assert not counts_moderately(info(provider, key), given)


@given(
    st.dictionaries(
        st.sampled_from(["litellm_provider", "key", "base_model"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text()),
    ),
    st.none() | st.lists(st.text()) | st.dictionaries(st.just("model"), st.integers() | st.text()),
)
def test_odd_rows_are_not_known(row: dict[str, Any], given: object) -> None:
    assert not counts_moderately(row, given)


def test_it_is_a_feature_of_the_price() -> None:
    prices = {"input_cost_per_token": Decimal(1), "output_cost_per_token": Decimal(1)}
    row = {"model_name": "m", "model_info": prices | info("openai", "gpt-4o")}

    price = read_price(row)

    assert price is not None
    assert MODERATE_IMAGES in price.features
