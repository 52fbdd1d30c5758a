"""The names of counts in reports of usage: of each protocol, and of those who write others.

What a name stands for is what its makers say of it; where two say different things of one name,
``usage.py`` tells them apart by the total.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Names = dict[str, Any]
"""Names in a report, each with the count it stands for, or with the names below it."""


class Shape(NamedTuple):
    """How a protocol names each count.

    Attributes:
        prompt: Tokens read: the protocol's own name first, then others seen in its place.
        completion: Tokens written, in the same way.
        names: Every other name, and the two own ones.
        cache_is_beside: Whether tokens of the cache stand beside the prompt's, not among them.
    """

    prompt: tuple[str, ...]
    completion: tuple[str, ...]
    names: Names
    cache_is_beside: bool = False


# What was written to a cache, by how long it is kept. OpenAI's ages are 30 minutes and 12 hours.
_BY_AGE: Names = {
    **dict.fromkeys(
        ("ephemeral_5m_input_tokens", "ephemeral_30m_input_tokens", "ttl_30m_tokens"),
        "written_briefly",
    ),
    **dict.fromkeys(
        ("ephemeral_1h_input_tokens", "ephemeral_12h_input_tokens", "ttl_12h_tokens"),
        "written_long",
    ),
}
_INPUT_DETAILS: Names = {
    **dict.fromkeys(
        ("cached_tokens", "cache_read_tokens", "cachedTokens", "cacheReadTokens"), "cached"
    ),
    **dict.fromkeys(
        (
            "cache_creation_tokens",
            "cache_creation_input_tokens",  # Alibaba's
            "cache_write_tokens",
            "cacheWriteTokens",
            "cached_creation_tokens",  # new-api's
        ),
        "written",
    ),
    **dict.fromkeys(
        ("cache_creation", "cache_creation_token_details", "cache_write_tokens_details"), _BY_AGE
    ),
}
_OUTPUT_DETAILS: Names = dict.fromkeys(
    ("reasoning_tokens", "thinking_tokens", "reasoningTokens"), "reasoning"
)
_NAMES: Names = {
    **dict.fromkeys(
        ("total_tokens", "totalTokens", "totalTokenCount", "total_token_count"), "total"
    ),
    **dict.fromkeys(
        (
            *("prompt_tokens_details", "input_tokens_details", "input_token_details"),
            *("promptTokensDetails", "inputTokenDetails"),
        ),
        _INPUT_DETAILS,
    ),
    **dict.fromkeys(
        (
            *("completion_tokens_details", "output_tokens_details", "output_token_details"),
            *("completionTokensDetails", "outputTokenDetails"),
        ),
        _OUTPUT_DETAILS,
    ),
    "cached_tokens": "cached",
    "num_cached_tokens": "cached",  # Mistral's
    "cache_read_input_tokens": "cached",
    "prompt_cache_hit_tokens": "cached",
    "prompt_cache_miss_tokens": "missed",
    # The timings of llama.cpp: what it read anew, and what it had read before.
    "prompt_n": "missed",
    "cache_n": "cached",
    "cache_creation_input_tokens": "written",
    "cache_write_tokens": "written",
    "claude_cache_creation_5_m_tokens": "written_briefly",
    "claude_cache_creation_1_h_tokens": "written_long",
    # As Bedrock, Gemini and libraries of JavaScript write them, where a relay leaves them so.
    **dict.fromkeys(
        (
            "cachedContentTokenCount",
            "cached_content_token_count",
            "cachedInputTokens",
            "cacheReadInputTokens",
            "cacheReadInputTokenCount",
        ),
        "cached",
    ),
    **dict.fromkeys(("cacheWriteInputTokens", "cacheWriteInputTokenCount"), "written"),
    # Gemini counts these beside what it read and wrote.
    **dict.fromkeys(("toolUsePromptTokenCount", "tool_use_prompt_token_count"), "tools"),
    **dict.fromkeys(("thoughtsTokenCount", "thoughts_token_count"), "thoughts"),
    "citation_tokens": "cited",  # Perplexity's
    "billed_units": {"input_tokens": "prompt", "output_tokens": "completion"},  # Cohere's
    "cache_creation": _BY_AGE,
    **_OUTPUT_DETAILS,
}


def _shape(
    prompt: tuple[str, ...], completion: tuple[str, ...], *, cache_is_beside: bool = False
) -> Shape:
    names = {prompt[0]: "prompt", completion[0]: "completion", **_NAMES}
    return Shape(prompt, completion, names, cache_is_beside)


_PROMPT, _COMPLETION = "prompt_tokens", "completion_tokens"
_INPUT, _OUTPUT = "input_tokens", "output_tokens"

PROMPTS = (
    *(_PROMPT, "promptTokens", "promptTokenCount", "prompt_token_count"),
    "prompt_eval_count",
)
_INPUTS = (_INPUT, "inputTokens", "inputTokenCount")
_COMPLETIONS = (
    *(_COMPLETION, "completionTokens", "candidatesTokenCount", "candidates_token_count"),
    *("responseTokenCount", "eval_count", "predicted_n"),
)
_OUTPUTS = (_OUTPUT, "outputTokens", "outputTokenCount")

CHAT = _shape((*PROMPTS, *_INPUTS), (*_COMPLETIONS, *_OUTPUTS))
EMBEDDINGS = _shape((*PROMPTS, *_INPUTS, "total_tokens"), (*_COMPLETIONS, *_OUTPUTS))
RESPONSES = _shape((*_INPUTS, *PROMPTS), (*_OUTPUTS, *_COMPLETIONS))
MESSAGES = _shape(_INPUTS, (*_OUTPUTS, *_COMPLETIONS), cache_is_beside=True)
