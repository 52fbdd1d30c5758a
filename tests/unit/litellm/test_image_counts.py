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
        ("bedrock_converse", "us-gov.anthropic.claude-opus-5"),
        ("bedrock", "bedrock/us-gov-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("bedrock", "bedrock/invoke/anthropic.claude-3-5-sonnet-20240620-v1:0"),
        ("bedrock_mantle", "bedrock_mantle/us-gov-west-1/anthropic.claude-opus-5-5"),
        ("vertex_ai-anthropic_models", "vertex_ai/claude-opus-4-5@20251101"),
        ("openrouter", "openrouter/google/gemini-2.5-pro"),
    ],
)
def test_a_model_that_scales_images_down_is_known_by_its_name(provider: str, model: str) -> None:
    assert image_features(info(provider, model), {"model": model}) == {IMAGES_SCALED_DOWN}


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "o3", "gpt-4.1-2025-04-14", "chatgpt-4o-latest"]
)
def test_so_is_one_that_counts_in_tiles(model: str) -> None:
    assert image_features(info("openai", model), {"model": model}) == {IMAGES_IN_TILES}


@pytest.mark.parametrize("model", ["openai/gpt-5.4-2026-03-05", "gpt-5-nano", "gpt-4.1-mini"])
def test_so_is_one_that_counts_all_of_an_image(model: str) -> None:
    assert image_features(info("openai", model), {"model": model}) == {IMAGES_IN_PATCHES}


AZURE = {"model": "azure/our-chat", "api_base": "https://ours.openai.azure.com"}
ARN = "bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/abc1"
RELAY = {"model": "openai/best", "api_base": "https://relay.example/v1"}


@pytest.mark.parametrize(
    ("row", "given", "feature"),
    [
        (info("azure", "azure/gpt-4o"), AZURE, IMAGES_IN_TILES),
        (info("azure", "azure/eu/gpt-5.1"), AZURE, IMAGES_IN_PATCHES),
        (info("azure", "azure/global-standard/gpt-4o-2024-11-20"), AZURE, IMAGES_IN_TILES),
        (info("azure_ai", "azure_ai/claude-opus-5"), AZURE, IMAGES_SCALED_DOWN),
        (
            info("bedrock_converse", "us.anthropic.claude-opus-5"),
            {"model": ARN},
            IMAGES_SCALED_DOWN,
        ),
        (info("vertex_ai", "gemini-2.5-pro"), {"model": "vertex_ai/4711"}, IMAGES_SCALED_DOWN),
        # Older versions of LiteLLM know nothing of it beside what is written.
        (info("", "claude-opus-5"), RELAY, IMAGES_SCALED_DOWN),
    ],
)
@pytest.mark.parametrize("in_params", [True, False])
def test_it_is_known_where_the_operator_has_written_its_base_model(
    row: dict[str, str], given: dict[str, str], feature: str, *, in_params: bool
) -> None:
    stated = {"base_model": row["key"]}

    features = image_features(
        row if in_params else row | stated, given | stated if in_params else given
    )

    assert features == {feature}
    assert not image_features(row, given)


@pytest.mark.parametrize(
    ("base_model", "model"),
    [
        ("gpt-4o", "openai/gpt-4o-mini"),
        ("gpt-4o", "azure/gpt-4o-mini-2024-07-18"),
        ("gpt-4o", "azure/our-mini"),
        ("gpt-4o", "azure/gpt-4o_mini"),
        ("gpt-4o", "litellm_proxy/ours/GPT-5"),
        ("gpt-5-mini", "openai/gpt-4o-mini"),
        ("gpt-5", "openai/gpt-4.1"),
        ("claude-opus-5", "bedrock/us.openai.gpt-5"),
    ],
)
def test_it_is_not_known_where_its_own_name_reads_as_another(base_model: str, model: str) -> None:
    given = {"model": model, "api_base": "https://relay.example/v1"}

    assert not image_features(info("openai", "") | {"base_model": base_model}, given)
    assert not image_features(info("", model) | {"base_model": base_model}, {})


@pytest.mark.parametrize(
    ("base_model", "model", "feature"),
    [
        ("gpt-4o", "hosted_vllm/gpt-4o-2024-11-20", IMAGES_IN_TILES),
        ("gpt-5-mini", "litellm_proxy/gpt-5-mini", IMAGES_IN_PATCHES),
        ("gpt-4o", "azure/our-minister", IMAGES_IN_TILES),
        ("claude-opus-5", "openai/anthropic/claude-opus-5", IMAGES_SCALED_DOWN),
    ],
)
def test_it_is_where_its_own_name_reads_as_the_same_or_as_none(
    base_model: str, model: str, feature: str
) -> None:
    given = {"model": model, "api_base": "https://relay.example/v1", "base_model": base_model}

    assert image_features(info("openai", ""), given) == {feature}


@pytest.mark.parametrize(
    "address",
    [
        "https://api.openai.com/v1",
        "https://eu.api.openai.com/v1",
        "https://openrouter.ai/api/v1",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://us-east5-aiplatform.googleapis.com/v1",
        "https://bedrock-runtime.us-east-1.amazonaws.com",
    ],
)
def test_an_address_of_its_makers_is_none_of_the_operators(address: str) -> None:
    given = {"model": "openai/gpt-4o", "api_base": address}

    assert image_features(info("openai", "gpt-4o"), given) == {IMAGES_IN_TILES}


@pytest.mark.parametrize(
    "address",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.relay.example/v1",
        "https://relay.example/?https://api.openai.com",
        "https://abc.execute-api.us-east-1.amazonaws.com/v1",
        "os.environ/OPENAI_API_BASE",
        7,
    ],
)
def test_at_any_other_address_is_any_model(address: object) -> None:
    assert not image_features(info("openai", "gpt-4o"), {"api_base": address})


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
        ("openai", "gpt-4o", {"model": "openai/gpt-4o-mini", "base_model": "gpt-4o"}),
        ("azure", "azure/gpt-4o", {"model": "azure/gpt-4o", "base_model": "gpt-4o-mini"}),
        # A model of another maker, named after a known one.
        ("openrouter", "openrouter/somebody/gpt-4o", {}),
        ("bedrock", "bedrock/us-east-1/acme.claude-opus-5", {}),
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


PRICES = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
CLAUDE, GPT_4O = info("anthropic", "claude-opus-5"), info("openai", "gpt-4o")
UNKNOWN = info("openai", "gpt-4o-mini")


@pytest.mark.parametrize(
    ("deployments", "features"),
    [
        ([CLAUDE], {IMAGES_SCALED_DOWN}),
        ([CLAUDE, GPT_4O], {IMAGES_SCALED_DOWN, IMAGES_IN_TILES}),
        (
            [CLAUDE, GPT_4O, info("openai", "gpt-5")],
            {IMAGES_SCALED_DOWN, IMAGES_IN_TILES, IMAGES_IN_PATCHES},
        ),
        ([CLAUDE, UNKNOWN], set()),
        ([UNKNOWN, CLAUDE, GPT_4O], set()),
    ],
)
def test_the_ways_of_all_deployments_of_a_name_are_features_of_its_price(
    deployments: list[dict[str, str]], features: set[str]
) -> None:
    rows = [{"model_name": "m", "model_info": PRICES | each} for each in deployments]

    [price] = read_catalogue(json.dumps({"data": rows}).encode()).prices

    assert price.features == features
