"""Token counts on the Anthropic wire, which come in parts and add up to themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.wires.usage import UnreadableUsageError, count, details
from creditcore.domain.pricing import Usage

_INPUT = "input_tokens"
_OUTPUT = "output_tokens"
_CACHE_READ = "cache_read_input_tokens"
_CACHE_WRITE = "cache_creation_input_tokens"
_WRITTEN_5M = "ephemeral_5m_input_tokens"
_WRITTEN_1H = "ephemeral_1h_input_tokens"


class CumulativeUsage:
    """The usage of one message, as far as it has been reported.

    Counts are cumulative. LiteLLM begins with zeros where the provider is not Anthropic,
    Anthropic may leave the input out at the end: of each count the highest is right.
    """

    def __init__(self) -> None:
        """Start with nothing reported."""
        self._seen: dict[str, int] = {}

    def add(self, usage: Mapping[str, Any]) -> Usage:
        """Take a report, which may be partial, and return the usage so far.

        Raises:
            UnreadableUsageError: Something in it is no count; nothing of it is taken.
        """
        now = {name: count(usage, name) for name in (_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE)}
        by_time = details(usage, "cache_creation")
        now |= {name: count(by_time, name) for name in (_WRITTEN_5M, _WRITTEN_1H)}
        self._seen = {name: max(tokens, self._seen.get(name, 0)) for name, tokens in now.items()}
        return self._usage()

    def _usage(self) -> Usage:
        """The tokens of the cache stand beside ``input_tokens`` here, and among them elsewhere."""
        seen = self._seen
        written = max(seen[_CACHE_WRITE], seen[_WRITTEN_5M] + seen[_WRITTEN_1H])
        return Usage(
            prompt_tokens=seen[_INPUT] + seen[_CACHE_READ] + written,
            completion_tokens=seen[_OUTPUT],
            cached_tokens=seen[_CACHE_READ],
            cache_write_tokens=written,
            cache_write_1h_tokens=seen[_WRITTEN_1H],
        )


def read_messages_usage(usage: Mapping[str, Any]) -> Usage:
    """Read ``usage`` of a whole message.

    Raises:
        UnreadableUsageError: A number that must be there is not, or one is no count.
    """
    if usage.get(_INPUT) is None or usage.get(_OUTPUT) is None:
        raise UnreadableUsageError
    return CumulativeUsage().add(usage)
