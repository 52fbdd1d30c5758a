"""Only of models that are surely known is it believed how they count an image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.litellm.image_counts import image_features
from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import ImageCount


def info(provider: str, key: str) -> dict[str, str]:
    return {"litellm_provider": provider, "key": key}


CLAUDE_3, CLAUDE_4_7 = ImageCount.CLAUDE_3, ImageCount.CLAUDE_4_7
IN_TILES, IN_DEAR_TILES = ImageCount.IN_TILES, ImageCount.IN_DEAR_TILES


@pytest.mark.parametrize(
    ("provider", "model", "count"),
    [
        ("anthropic", "claude-3-haiku-20240307", CLAUDE_3),
        ("anthropic", "claude-opus-4-20250514", CLAUDE_3),
        ("anthropic", "claude-sonnet-4-5-20250929", CLAUDE_3),
        ("anthropic", "claude-haiku-4-5", CLAUDE_3),
        ("anthropic", "claude-sonnet-4-6", CLAUDE_3),
        ("anthropic", "claude-opus-4-7", CLAUDE_4_7),
        ("anthropic", "claude-opus-4-10", CLAUDE_4_7),
        ("anthropic", "anthropic/claude-opus-5", CLAUDE_4_7),
        ("bedrock_converse", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE_3),
        ("bedrock_converse", "bedrock/anthropic.claude-opus-4-6-v1", CLAUDE_3),
        ("bedrock_converse", "us-gov.anthropic.claude-opus-5", CLAUDE_4_7),
        ("bedrock", "bedrock/us-gov-east-1/anthropic.claude-opus-4-8-v1:0", CLAUDE_4_7),
        ("bedrock", "bedrock/invoke/anthropic.claude-3-5-sonnet-20240620-v1:0", CLAUDE_3),
        ("bedrock_mantle", "bedrock_mantle/us-gov-west-1/anthropic.claude-opus-5-5", CLAUDE_4_7),
        ("vertex_ai-anthropic_models", "vertex_ai/claude-opus-4-5@20251101", CLAUDE_3),
        ("vertex_ai-anthropic_models", "vertex_ai/claude-opus-4-6@default", CLAUDE_3),
        ("vertex_ai-anthropic_models", "vertex_ai/claude-opus-4-7@default", CLAUDE_4_7),
        ("openrouter", "openrouter/anthropic/claude-3.7-sonnet:thinking", CLAUDE_3),
        ("openrouter", "openrouter/anthropic/claude-opus-4.6", CLAUDE_3),
        ("openrouter", "openrouter/anthropic/claude-opus-4.7", CLAUDE_4_7),
        ("gemini", "gemini/gemini-2.5-pro", ImageCount.GEMINI_2),
        ("openrouter", "openrouter/google/gemini-2.5-pro", ImageCount.GEMINI_2),
        ("vertex_ai-language-models", "vertex_ai/gemini-3-pro-preview", ImageCount.GEMINI_3),
        ("gemini", "gemini/gemini-3.5-flash", ImageCount.GEMINI_3),
        ("openai", "openai/gpt-4o", IN_TILES),
        ("openai", "o3", IN_TILES),
        ("openai", "gpt-4.1-2025-04-14", IN_TILES),
        ("openai", "chatgpt-4o-latest", IN_TILES),
        ("openai", "gpt-5", IN_TILES),
        ("openai", "gpt-5-chat-latest", IN_TILES),
        ("openai", "gpt-5.1-2025-11-13", IN_TILES),
        ("openai", "gpt-4o-mini-2024-07-18", IN_DEAR_TILES),
        ("openai", "gpt-4.1-mini", ImageCount.GPT_4_1_MINI),
        ("openai", "gpt-5-mini-2025-08-07", ImageCount.GPT_4_1_MINI),
        ("openai", "o4-mini", ImageCount.GPT_4_1_MINI),
        ("openai", "gpt-5-nano", ImageCount.GPT_4_1_NANO),
        ("openai", "gpt-5.2", ImageCount.GPT_5_2),
        ("openai", "openai/gpt-5.4-2026-03-05", ImageCount.GPT_5_4),
        ("openai", "gpt-5.4-nano", ImageCount.GPT_5_4_MINI),
        ("openai", "gpt-5.5", ImageCount.GPT_5_5),
        ("openai", "gpt-5.6-terra", ImageCount.GPT_5_6),
        ("openai", "gpt-6-astra", ImageCount.GPT_5_6),
        # Of these OpenAI's page says nothing.
        ("openai", "gpt-5-pro", ImageCount.IN_PATCHES),
        ("openai", "gpt-5.2-codex", ImageCount.IN_PATCHES),
        ("openai", "gpt-6-mini", ImageCount.IN_PATCHES),
        ("xai", "xai/grok-4-latest", ImageCount.GROK),
        ("openrouter", "openrouter/x-ai/grok-4", ImageCount.GROK),
        ("mistral", "mistral/pixtral-large-latest", ImageCount.PIXTRAL),
        ("mistral", "mistral/mistral-small-3-2-2506", ImageCount.PIXTRAL),
        ("mistral", "mistral/mistral-small-latest", ImageCount.MISTRAL),
        ("mistral", "mistral/mistral-medium-2604", ImageCount.MISTRAL),
        ("dashscope", "dashscope/qwen3-vl-plus", ImageCount.QWEN),
    ],
)
def test_how_a_model_counts_is_known_by_its_name(
    provider: str, model: str, count: ImageCount
) -> None:
    assert image_features(info(provider, model), {"model": model}) == {count}


def test_a_name_that_moves_on_may_count_in_either_way() -> None:
    latest = info("gemini", "gemini/gemini-flash-latest")

    assert image_features(latest, {}) == {ImageCount.GEMINI_2, ImageCount.GEMINI_3}


AZURE = {"model": "azure/our-chat", "api_base": "https://ours.openai.azure.com"}
ARN = "bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/abc1"
RELAY = {"model": "openai/best", "api_base": "https://relay.example/v1"}


@pytest.mark.parametrize(
    ("row", "given", "feature"),
    [
        (info("azure", "azure/gpt-4o"), AZURE, IN_TILES),
        (info("azure", "azure/eu/gpt-5.1"), AZURE, IN_TILES),
        (info("azure_ai", "xai/grok-4"), {"model": "azure_ai/ours"}, ImageCount.GROK),
        (info("azure", "azure/global-standard/gpt-4o-2024-11-20"), AZURE, IN_TILES),
        (info("azure_ai", "azure_ai/claude-opus-5"), AZURE, CLAUDE_4_7),
        (
            info("bedrock_converse", "us.anthropic.claude-opus-5"),
            {"model": ARN},
            CLAUDE_4_7,
        ),
        (info("vertex_ai", "gemini-2.5-pro"), {"model": "vertex_ai/4711"}, ImageCount.GEMINI_2),
        # Older versions of LiteLLM know nothing of it beside what is written.
        (info("", "claude-opus-5"), RELAY, CLAUDE_4_7),
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
    ("base_model", "model", "another"),
    [
        ("gpt-4o", "openai/gpt-4o-mini", IN_DEAR_TILES),
        ("gpt-4o", "azure/gpt-4o-mini-2024-07-18", IN_DEAR_TILES),
        ("gpt-4o", "litellm_proxy/ours/GPT-5.2", ImageCount.GPT_5_2),
        ("gpt-4.1", "azure/gpt-4.1-mini-eu", ImageCount.IN_PATCHES),
        ("gpt-4o", "bedrock/us.anthropic.claude-opus-5", CLAUDE_4_7),
    ],
)
def test_it_may_be_either_where_its_own_name_reads_as_another(
    base_model: str, model: str, another: ImageCount
) -> None:
    given = {"model": model, "api_base": "https://relay.example/v1"}
    either = {IN_TILES, another}

    assert image_features(info("openai", "") | {"base_model": base_model}, given) == either
    assert image_features(info("", model) | {"base_model": base_model}, {}) == either


@pytest.mark.parametrize("model", ["azure/our-mini", "azure/gpt-4o_mini", "ours/nano"])
def test_it_is_not_known_where_its_own_name_reads_as_a_small_one_of_none(model: str) -> None:
    given = {"model": model, "api_base": "https://relay.example/v1"}

    assert not image_features(info("openai", "") | {"base_model": "gpt-4o"}, given)


@pytest.mark.parametrize(
    ("base_model", "model", "feature"),
    [
        ("gpt-4o", "hosted_vllm/gpt-4o-2024-11-20", IN_TILES),
        ("gpt-5-mini", "litellm_proxy/gpt-5-mini", ImageCount.GPT_4_1_MINI),
        ("gpt-4o", "azure/our-minister", IN_TILES),
        ("claude-opus-5", "openai/anthropic/claude-opus-5", CLAUDE_4_7),
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
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://us-east5-aiplatform.googleapis.com/v1",
        "https://bedrock-runtime.us-east-1.amazonaws.com",
    ],
)
def test_an_address_of_its_makers_is_none_of_the_operators(address: str) -> None:
    given = {"model": "openai/gpt-4o", "api_base": address}

    assert image_features(info("openai", "gpt-4o"), given) == {IN_TILES}


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
        ("openai", "gpt-4o-mini-search-preview", {}),
        ("openai", "gpt-4o-mini:free", {"model": "openai/gpt-4o-mini:free"}),
        ("openai", "gpt-4o", {"model": "openai/gpt-4o", "api_base": "https://relay.example"}),
        # A deployment of Azure has the name that its owner gave it.
        ("azure", "azure/gpt-4o", {"model": "azure/gpt-4o"}),
        ("gemini", "gemini/gemma-3-27b-it", {}),
        ("openai", "ft:gpt-4o", {}),
        # Those at Google, and at hosts of open models, may count in ways of their own.
        ("vertex_ai-mistral_models", "vertex_ai/mistral-small-2503@001", {}),
        ("openrouter", "openrouter/mistralai/pixtral-12b", {}),
        ("together_ai", "together_ai/Qwen/Qwen2.5-VL-72B-Instruct", {}),
        ("gemini", "gemini/gemini-4-pro", {}),
        ("gemini", "gemini/gemini-gemma-2-27b-it", {}),
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
UNKNOWN = info("openai", "llava")


@pytest.mark.parametrize(
    ("deployments", "features"),
    [
        ([CLAUDE], {CLAUDE_4_7}),
        ([CLAUDE, GPT_4O], {CLAUDE_4_7, IN_TILES}),
        (
            [CLAUDE, GPT_4O, info("openai", "gpt-5.4")],
            {CLAUDE_4_7, IN_TILES, ImageCount.GPT_5_4},
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
