"""The models on offer, their prices, and what a call costs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

# Every field of a row of LiteLLM 1.91.5, in its order; a row says null where nothing is known.
FIELDS = """
    id db_model key max_tokens max_input_tokens max_output_tokens input_cost_per_token
    input_cost_per_token_flex input_cost_per_token_priority cache_creation_input_token_cost
    cache_creation_input_token_cost_above_200k_tokens cache_read_input_token_cost
    cache_read_input_token_cost_above_200k_tokens
    cache_read_input_token_cost_above_200k_tokens_priority
    cache_read_input_token_cost_above_272k_tokens
    cache_read_input_token_cost_above_272k_tokens_priority
    cache_read_input_token_cost_above_512k_tokens cache_read_input_token_cost_flex
    cache_read_input_token_cost_priority cache_creation_input_token_cost_above_1hr
    input_cost_per_character input_cost_per_token_above_128k_tokens
    input_cost_per_token_above_200k_tokens input_cost_per_token_above_200k_tokens_priority
    input_cost_per_token_above_272k_tokens input_cost_per_token_above_272k_tokens_priority
    input_cost_per_token_above_512k_tokens input_cost_per_query input_cost_per_second
    input_cost_per_audio_token input_cost_per_image_token input_cost_per_image
    input_cost_per_audio_per_second input_cost_per_video_per_second input_cost_per_token_batches
    output_cost_per_token_batches output_cost_per_token output_cost_per_token_flex
    output_cost_per_token_priority regional_processing_uplift_multiplier_eu
    regional_processing_uplift_multiplier_us output_cost_per_audio_token output_cost_per_character
    output_cost_per_reasoning_token output_cost_per_token_above_128k_tokens
    output_cost_per_character_above_128k_tokens output_cost_per_token_above_200k_tokens
    output_cost_per_token_above_200k_tokens_priority output_cost_per_token_above_272k_tokens
    output_cost_per_token_above_272k_tokens_priority output_cost_per_token_above_512k_tokens
    output_cost_per_second output_cost_per_second_1080p output_cost_per_video_per_second
    output_cost_per_image output_cost_per_image_token output_vector_size citation_cost_per_token
    tiered_pricing litellm_provider mode supports_system_messages supports_response_schema
    supports_vision supports_function_calling supports_tool_choice supports_assistant_prefill
    supports_prompt_caching supports_audio_input supports_audio_output supports_pdf_input
    supports_embedding_image_input supports_native_streaming supports_native_structured_output
    supports_web_search supports_url_context supports_reasoning supports_adaptive_thinking
    supports_mid_conversation_system supports_none_reasoning_effort
    supports_minimal_reasoning_effort supports_low_reasoning_effort supports_xhigh_reasoning_effort
    supports_max_reasoning_effort bedrock_output_config_effort_ceiling
    bedrock_converse_supports_strict_tools supports_computer_use search_context_cost_per_query
    web_search_billing_unit tpm rpm ocr_cost_per_page ocr_cost_per_credit annotation_cost_per_page
    provider_specific_entry uses_embed_content supports_image_size supported_openai_params
    updated_at updated_by created_at created_by base_model tier team_id team_public_model_name
    blocked
""".split()  # noqa: SIM905 - a hundred names, one per line, would bury the rest of the file

OPENAI_PARAMS = """
    frequency_penalty logit_bias logprobs top_logprobs max_tokens max_completion_tokens modalities
    prediction n presence_penalty seed stop stream stream_options temperature top_p tools
    tool_choice function_call functions max_retries extra_headers parallel_tool_calls audio
    web_search_options service_tier safety_identifier prompt_cache_key prompt_cache_retention store
    response_format
""".split()  # noqa: SIM905 - as above

COMMON: dict[str, Any] = {
    "db_model": False,
    "mode": "chat",
    "litellm_provider": "openai",
    "supports_system_messages": True,
    "supports_response_schema": True,
    "supports_vision": True,
    "supports_function_calling": True,
    "supports_tool_choice": True,
    "supported_openai_params": OPENAI_PARAMS,
}
NO_TEXT: dict[str, Any] = {
    "supports_system_messages": None,
    "supports_response_schema": None,
    "supports_function_calling": None,
    "supports_tool_choice": None,
    "supports_vision": None,
    "supported_openai_params": None,
}
SIZE_128K = {"max_tokens": 16384, "max_input_tokens": 128000, "max_output_tokens": 16384}
CLAUDE = {
    "max_tokens": 64000,
    "max_input_tokens": 200000,
    "max_output_tokens": 64000,
    "litellm_provider": "anthropic",
    "supports_assistant_prefill": True,
    "supports_prompt_caching": True,
    "supports_pdf_input": True,
    "supports_reasoning": True,
    "supports_computer_use": True,
}
EMBEDDING = {
    "mode": "embedding",
    "max_tokens": 8191,
    "max_input_tokens": 8191,
    "input_cost_per_token": 2e-08,
    "output_cost_per_token": 0.0,
    "supports_function_calling": None,
    "supports_tool_choice": None,
    "supports_vision": None,
}

# The one price tier of this catalogue: above so many prompt tokens it covers the whole call.
TIER_ABOVE = 200_000
_FILLED_PRICES = ("input_cost_per_token", "output_cost_per_token")

CATALOGUE: dict[str, dict[str, Any]] = {
    "demo-chat": {
        **SIZE_128K,
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 4e-06,
        "cache_read_input_token_cost": 1e-07,
        "supports_prompt_caching": True,
    },
    "gpt-4o-mini": {
        **SIZE_128K,
        "input_cost_per_token": 1.5e-07,
        "input_cost_per_token_priority": 2.5e-07,
        "cache_read_input_token_cost": 7.5e-08,
        "cache_read_input_token_cost_priority": 1.25e-07,
        "input_cost_per_token_batches": 7.5e-08,
        "output_cost_per_token_batches": 3e-07,
        "output_cost_per_token": 6e-07,
        "output_cost_per_token_priority": 1e-06,
        "supports_prompt_caching": True,
        "supports_pdf_input": True,
    },
    "gpt-4o": {
        **SIZE_128K,
        "input_cost_per_token": 2.5e-06,
        "input_cost_per_token_priority": 4.25e-06,
        "cache_read_input_token_cost": 1.25e-06,
        "cache_read_input_token_cost_priority": 2.125e-06,
        "input_cost_per_token_batches": 1.25e-06,
        "output_cost_per_token_batches": 5e-06,
        "output_cost_per_token": 1e-05,
        "output_cost_per_token_priority": 1.7e-05,
        "supports_prompt_caching": True,
        "supports_pdf_input": True,
    },
    "claude-sonnet-4-5": {
        **CLAUDE,
        "input_cost_per_token": 3e-06,
        "cache_creation_input_token_cost": 3.75e-06,
        "cache_creation_input_token_cost_above_200k_tokens": 7.5e-06,
        "cache_read_input_token_cost": 3e-07,
        "cache_read_input_token_cost_above_200k_tokens": 6e-07,
        "cache_creation_input_token_cost_above_1hr": 6e-06,
        "input_cost_per_token_above_200k_tokens": 6e-06,
        "output_cost_per_token": 1.5e-05,
        "output_cost_per_token_above_200k_tokens": 2.25e-05,
        "search_context_cost_per_query": {
            "search_context_size_high": 0.01,
            "search_context_size_low": 0.01,
            "search_context_size_medium": 0.01,
        },
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
    },
    "claude-haiku-4-5": {
        **CLAUDE,
        "input_cost_per_token": 1e-06,
        "cache_creation_input_token_cost": 1.25e-06,
        "cache_read_input_token_cost": 1e-07,
        "cache_creation_input_token_cost_above_1hr": 2e-06,
        "output_cost_per_token": 5e-06,
    },
    "claude-opus-4-5": {
        **CLAUDE,
        "input_cost_per_token": 5e-06,
        "cache_creation_input_token_cost": 6.25e-06,
        "cache_read_input_token_cost": 5e-07,
        "cache_creation_input_token_cost_above_1hr": 1e-05,
        "output_cost_per_token": 2.5e-05,
    },
    "demo-reasoning": {
        **SIZE_128K,
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 8e-06,
        "output_cost_per_reasoning_token": 1.2e-05,
        "supports_reasoning": True,
    },
    "demo-embedding": {**EMBEDDING, "output_vector_size": 8},
    "text-embedding-3-small": {**EMBEDDING, "output_vector_size": 1536},
    "dall-e-3": {**NO_TEXT, "mode": "image_generation", "input_cost_per_image": 0.04},
    "gpt-image-1": {
        **NO_TEXT,
        "mode": "image_generation",
        "cache_read_input_token_cost": 1.25e-06,
        "input_cost_per_token": 5e-06,
        "input_cost_per_image_token": 1e-05,
        "output_cost_per_image_token": 4e-05,
    },
    "tts-1": {**NO_TEXT, "mode": "audio_speech", "input_cost_per_character": 1.5e-05},
    "whisper-1": {
        **NO_TEXT,
        "mode": "audio_transcription",
        "input_cost_per_second": 0.0001,
        "output_cost_per_second": 0.0001,
    },
    "gpt-4o-transcribe": {
        **NO_TEXT,
        "mode": "audio_transcription",
        "max_input_tokens": 16000,
        "max_output_tokens": 2000,
        "input_cost_per_token": 2.5e-06,
        "input_cost_per_audio_token": 6e-06,
        "output_cost_per_token": 1e-05,
    },
    "rerank-v3.5": {
        **NO_TEXT,
        "mode": "rerank",
        "litellm_provider": "cohere",
        "max_tokens": 4096,
        "max_input_tokens": 4096,
        "max_output_tokens": 4096,
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
        "input_cost_per_query": 0.002,
    },
    "omni-moderation-latest": {
        **NO_TEXT,
        "mode": "moderation",
        "max_input_tokens": 32768,
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
    },
    # The real one fills prices that it does not know with the integer 0.
    "demo-unpriced": SIZE_128K,
}


class Models:
    """The catalogue, whose prices may be changed while it is served."""

    def __init__(self) -> None:
        """Start with the usual catalogue."""
        self._rows: dict[str, dict[str, Any]] = {}
        self.reset()

    def __contains__(self, name: object) -> bool:
        """Tell whether calls for this name have somewhere to go."""
        return name in self._rows

    def names(self) -> list[str]:
        """Return the names that clients may use."""
        return list(self._rows)

    def info(self, name: str) -> dict[str, Any]:
        """Return one model's prices and limits."""
        return self._rows[name]

    def change(self, name: str, overrides: Mapping[str, Any] | None) -> None:
        """Change fields of a model, add a model, or with None remove one."""
        if overrides is None:
            self._rows.pop(name, None)
            return
        self._rows.setdefault(name, _row(name, {})).update(overrides)

    def reset(self) -> None:
        """Return to the usual catalogue."""
        self._rows = {name: _row(name, facts) for name, facts in deepcopy(CATALOGUE).items()}

    def as_model_info(self) -> dict[str, Any]:
        """Return the answer of ``/model/info``."""
        return {"data": [self._deployment(name) for name in self._rows]}

    def as_list(self) -> dict[str, Any]:
        """Return the answer of ``/v1/models``."""
        return {"data": [self._listed(name) for name in self._rows], "object": "list"}

    def _deployment(self, name: str) -> dict[str, Any]:
        info = self._rows[name]
        parameters = {
            "api_base": "http://127.0.0.1:9101/v1",
            "use_in_pass_through": False,
            "use_litellm_proxy": False,
            "use_xai_oauth": False,
            "merge_reasoning_content_in_choices": False,
            "model": f"{info['litellm_provider']}/{name}",
        }
        filled = {price: 0 for price in _FILLED_PRICES if info[price] is None}
        given = {price: info[price] for price in _FILLED_PRICES if info[price] == 0}
        return {
            "model_name": name,
            # A price that the operator set stands here as well, a free one too.
            "litellm_params": parameters | given,
            "model_info": info | filled,
        }

    def _listed(self, name: str) -> dict[str, Any]:
        listed = {"id": name, "object": "model", "created": 1677610602, "owned_by": "openai"}
        limits = {
            limit: self._rows[name][limit] for limit in ("max_input_tokens", "max_output_tokens")
        }
        return listed | {limit: tokens for limit, tokens in limits.items() if tokens is not None}


def _row(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    model_id = hashlib.sha256(name.encode()).hexdigest()
    return {**dict.fromkeys(FIELDS), **COMMON, "id": model_id, "key": name, **facts}


def cost_of(
    info: Mapping[str, Any],
    *,
    prompt: int,
    cached: int,
    cache_write: int,
    completion: int,
    reasoning: int,
) -> float:
    """Return what LiteLLM says a call cost, in USD; 0 for a model without prices.

    In floats, as LiteLLM computes it: this figure is for comparing, not for charging.
    """
    tier = "_above_200k_tokens" if prompt > TIER_ABOVE else ""

    def price(name: str, otherwise: float = 0.0) -> float:
        found = info.get(name + tier)
        if found is None:
            found = info.get(name)
        return otherwise if found is None else float(found)

    input_price, output_price = price("input_cost_per_token"), price("output_cost_per_token")
    return (
        max(0, prompt - cached - cache_write) * input_price
        + cached * price("cache_read_input_token_cost", input_price)
        + cache_write * price("cache_creation_input_token_cost", input_price)
        + (completion - reasoning) * output_price
        + reasoning * price("output_cost_per_reasoning_token", output_price)
    )
