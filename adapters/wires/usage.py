"""Token counts as LiteLLM reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

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
    return _read(usage, _CHAT_NAMES)


def read_embeddings_usage(usage: Mapping[str, Any]) -> Usage:
    """Read ``usage`` of embeddings, which write nothing and need not say so.

    Raises:
        UnreadableUsageError: As for chat.
    """
    written = usage.get("completion_tokens") or 0
    return _read({**usage, "completion_tokens": written}, _CHAT_NAMES)


def read_responses_usage(usage: Mapping[str, Any]) -> Usage:
    """Read ``usage`` of a response: the same counts as in chat, under other names.

    Raises:
        UnreadableUsageError: As for chat.
    """
    return _read(usage, _RESPONSES_NAMES)


class _Names(NamedTuple):
    prompt: str
    completion: str


_CHAT_NAMES = _Names("prompt_tokens", "completion_tokens")
_RESPONSES_NAMES = _Names("input_tokens", "output_tokens")


def _read(usage: Mapping[str, Any], names: _Names) -> Usage:
    if usage.get(names.prompt) is None or usage.get(names.completion) is None:
        raise UnreadableUsageError
    prompt = details(usage, f"{names.prompt}_details")
    completion = details(usage, f"{names.completion}_details")
    by_time = details(prompt, "cache_creation_token_details")
    written_1h = count(by_time, "ephemeral_1h_input_tokens")
    return Usage(
        prompt_tokens=count(usage, names.prompt),
        completion_tokens=count(usage, names.completion),
        cached_tokens=max(count(prompt, "cached_tokens"), count(usage, "cache_read_input_tokens")),
        cache_write_tokens=max(
            count(prompt, "cache_creation_tokens"),
            count(prompt, "cache_write_tokens"),
            count(usage, "cache_creation_input_tokens"),
            count(by_time, "ephemeral_5m_input_tokens") + written_1h,
        ),
        cache_write_1h_tokens=written_1h,
        reasoning_tokens=count(completion, "reasoning_tokens"),
    )


def details(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return counts within counts; none where there are none.

    Raises:
        UnreadableUsageError: Something else stands there.
    """
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableUsageError
    return value


def count(parent: Mapping[str, Any], name: str) -> int:
    """Return a count of tokens, 0 where there is none.

    Raises:
        UnreadableUsageError: Something else stands there.
    """
    value = parent.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
        raise UnreadableUsageError
    return value
