"""Token counts as LiteLLM reports them on the OpenAI routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from creditcore.domain.pricing import Usage

_MOST_TOKENS = 10**10
"""A count above this is a fault of whoever counted: no context is a thousandth of it."""


class UnreadableUsageError(Exception):
    """Counts are missing, or are not counts."""


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Read ``usage`` of a chat completion.

    Cached and cache-writing tokens are inside ``prompt_tokens``, reasoning tokens are
    inside ``completion_tokens``. LiteLLM writes a count of the cache under several names
    (by version and provider); they mean the same, and where they differ the largest
    counts. The split of cache writes by time, when there is one, adds up to their sum.

    Raises:
        UnreadableUsageError: A number that must be there is not, or one that is there
            is no count of tokens. Nothing is guessed from half of a report.
    """
    prompt = _details(usage, "prompt_tokens_details")
    completion = _details(usage, "completion_tokens_details")
    by_time = _details(prompt, "cache_creation_token_details")
    written_1h = _count(by_time, "ephemeral_1h_input_tokens")
    return Usage(
        prompt_tokens=_required(usage, "prompt_tokens"),
        completion_tokens=_required(usage, "completion_tokens"),
        cached_tokens=max(
            _count(prompt, "cached_tokens"), _count(usage, "cache_read_input_tokens")
        ),
        cache_write_tokens=max(
            _count(prompt, "cache_creation_tokens"),
            _count(prompt, "cache_write_tokens"),
            _count(usage, "cache_creation_input_tokens"),
            _count(by_time, "ephemeral_5m_input_tokens") + written_1h,
        ),
        cache_write_1h_tokens=written_1h,
        reasoning_tokens=_count(completion, "reasoning_tokens"),
    )


def public_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return usage as the client may see it: without what the call cost the operator."""
    return {name: value for name, value in usage.items() if not _tells_cost(name)}


def tells_cost(usage: Mapping[str, Any]) -> bool:
    """Whether there is something that ``public_usage`` leaves out."""
    return any(_tells_cost(name) for name in usage)


def _tells_cost(name: str) -> bool:
    return "cost" in name or name == "is_byok"


def _details(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableUsageError
    return value


def _required(parent: Mapping[str, Any], name: str) -> int:
    if parent.get(name) is None:
        raise UnreadableUsageError
    return _count(parent, name)


def _count(parent: Mapping[str, Any], name: str) -> int:
    value = parent.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
        raise UnreadableUsageError
    return value
