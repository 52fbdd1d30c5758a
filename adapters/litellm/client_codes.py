"""OpenAI's words for errors that a client can act on, and how providers say the same."""

from __future__ import annotations

import re

RATE_LIMITED = "rate_limit_exceeded"
FULL_CONTEXT = "context_length_exceeded"
_POLICY = "content_policy_violation"

_EXCEPTION_CODES = {
    "ContextWindowExceededError": FULL_CONTEXT,
    "ContentPolicyViolationError": _POLICY,
    "RateLimitError": RATE_LIMITED,
}
# What a client can act on: compact the conversation, change an image, wait. The names are
# OpenAI's (its error reference, and ``ResponseError`` of openai-python 2.54); other servers use
# them too. No other code is passed on: it may name the operator's account or deployment.
_CLIENT_CODES = (
    "bio_policy",
    "content_filter",
    "content_policy_violation",
    "context_length_exceeded",
    "cyber_policy",
    "empty_image_file",
    "failed_to_download_image",
    "image_content_policy_violation",
    "image_file_too_large",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "invalid_base64_image",
    "invalid_encrypted_content",
    "invalid_function_parameters",
    "invalid_image",
    "invalid_image_format",
    "invalid_image_url",
    "invalid_prompt",
    "invalid_value",
    "json_validate_failed",
    "missing_required_parameter",
    "moderation_blocked",
    "rate_limit_exceeded",
    "string_above_max_length",
    "tool_use_failed",
    "unsupported_image_media_type",
    "unsupported_parameter",
    "unsupported_value",
)
# LiteLLM puts the provider's whole error object into its message, as JSON or as Python writes it.
_QUOTED_CODE = re.compile(rf"""["']code["']\s*:\s*["']({"|".join(_CLIENT_CODES)})["']""")
# As Anthropic, vLLM, Gemini, llama.cpp and Bedrock say it, where no code does.
# Behind them xAI, Copilot, MiniMax, Moonshot, Zhipu, DashScope, LM Studio, TGI and Cohere.
_CONTEXT_IS_FULL = re.compile(
    r"prompt is too long|maximum context length|exceeds? (?:the )?(?:available |model's )?context"
    r"|maximum number of tokens allowed|input is too long for requested model"
    r"|reduce the length of the (?:messages|prompt|input)|context[ _]length[ _]exceeded"
    r"|input tokens exceed the configured limit"
    r"|maximum prompt length is|token count of [0-9]{1,9} exceeds the limit"
    r"|context window exceeds limit|exceeded model token limit|prompt exceeds max length"
    r"|range of input length should be|greater than the context length"
    r"|`inputs` tokens \+ `max_new_tokens` must be|tokens in the prompt cannot exceed",
    re.IGNORECASE,
)
_FLAGGED = re.compile(
    r"input was flagged|flagged as potentially violating|content management policy",
    re.IGNORECASE,
)
_FULL_CONTEXT_CODES = frozenset(
    {
        "context_window_exceeded",
        "model_context_window_exceeded",
        "model_max_prompt_tokens_exceeded",
    }
)


def client_code(message: str, *, kind: str, given: str) -> str | None:
    """Return OpenAI's word for an error, where it is one that a client can act on.

    Args:
        message: Of no more than a few thousand letters: the patterns go back over what they read.
        kind: Its type.
        given: Its code as it came.
    """
    if given in _CLIENT_CODES:
        return given
    if quoted := _QUOTED_CODE.search(message):
        return quoted[1]
    named = (code for name, code in _EXCEPTION_CODES.items() if name in message)
    if (code := next(named, None)) is not None:
        return code
    is_full = kind == "exceed_context_size_error" or given in _FULL_CONTEXT_CODES
    if is_full or _CONTEXT_IS_FULL.search(message):
        return FULL_CONTEXT
    if is_flagged(message):
        return _POLICY
    return RATE_LIMITED if given == "429" else None


def is_flagged(message: str) -> bool:
    """Whether a message says that a filter has refused the prompt."""
    return _FLAGGED.search(message) is not None
