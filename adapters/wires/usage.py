"""Which reported token counts count: per field, per protocol, when one report or several come.

A provider reports once, or again and again; a relay may end with zeros, leave a side out, or
write a count as text. Each field is read by itself, under every name it is known by. Of several
reports the last value of a field counts, and a zero never takes a count back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from creditcore.domain.pricing import Usage

_MAX_TOKENS = 10**10
"""A count above this is a fault of its provider: no context is a thousandth of it."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,11}(?:\.0{1,9})?")

_Path = tuple[str, ...]


class Shape(NamedTuple):
    """Where a protocol keeps each count: the protocol's own place first, then others seen there.

    Attributes:
        prompt: Tokens read.
        completion: Tokens written.
        cache_is_beside: Whether tokens of the cache stand beside the prompt's, not among them.
    """

    prompt: tuple[_Path, ...]
    completion: tuple[_Path, ...]
    cache_is_beside: bool = False


_PROMPT, _COMPLETION = ("prompt_tokens",), ("completion_tokens",)
_INPUT, _OUTPUT = ("input_tokens",), ("output_tokens",)

CHAT = Shape((_PROMPT, _INPUT), (_COMPLETION, _OUTPUT))
EMBEDDINGS = Shape((_PROMPT, _INPUT, ("total_tokens",)), (_COMPLETION, _OUTPUT))
RESPONSES = Shape((_INPUT, _PROMPT), (_OUTPUT, _COMPLETION))
MESSAGES = Shape((_INPUT,), (_OUTPUT, _COMPLETION), cache_is_beside=True)
_MESSAGES_AS_CHAT = (_PROMPT,)

_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_CACHE_READ: tuple[_Path, ...] = (
    ("cache_read_input_tokens",),
    *((details, "cached_tokens") for details in _DETAILS),
    *((details, "cache_read_tokens") for details in _DETAILS),
    ("cached_tokens",),
    ("prompt_cache_hit_tokens",),
)
_CACHE_WRITE: tuple[_Path, ...] = (
    ("cache_creation_input_tokens",),
    *((details, "cache_creation_tokens") for details in _DETAILS),
    *((details, "cache_write_tokens") for details in _DETAILS),
    ("cache_write_tokens",),
)
_BY_TIME: tuple[_Path, ...] = (
    ("cache_creation",),
    *((details, "cache_creation_token_details") for details in _DETAILS),
)
_WRITTEN_5M = tuple((*path, "ephemeral_5m_input_tokens") for path in _BY_TIME)
_WRITTEN_1H = tuple((*path, "ephemeral_1h_input_tokens") for path in _BY_TIME)
_REASONING: tuple[_Path, ...] = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("reasoning_tokens",),
)
_TOTAL: tuple[_Path, ...] = (("total_tokens",),)


class Reports:
    """What the reports of one answer add up to, as far as they have come.

    Attributes:
        seen: Whether any of them had a count in it.
    """

    def __init__(self, shape: Shape) -> None:
        """Start with nothing reported.

        Args:
            shape: Where the protocol keeps its counts.
        """
        self.seen = False
        self._shape = shape
        self._counts: dict[str, int] = {}

    def begin(self, report: object) -> None:
        """Take a report from before anything was written: its output is a placeholder."""
        self._take(report, {"completion", "reasoning"})

    def add(self, report: object) -> bool:
        """Take a report, which may be partial; whether it counts what was written so far."""
        return self._take(report, set())

    @property
    def usage(self) -> Usage | None:
        """The counts so far, 0 for a side that no report has; None where none has either."""
        if not self.seen:
            return None
        counts = self._counts
        prompt, written_1h = counts.get("prompt", 0), counts.get("written_1h", 0)
        cached = counts.get("cached", 0)
        written = max(counts.get("written", 0), counts.get("written_5m", 0) + written_1h)
        completion, reasoning = counts.get("completion", 0), counts.get("reasoning", 0)
        if self._cache_is_beside(prompt, cached + written):
            prompt += cached + written
        if reasoning > completion or (
            reasoning and counts.get("total") == prompt + completion + reasoning
        ):
            completion += reasoning
        if not prompt and not completion:
            return None
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=written_1h,
            reasoning_tokens=reasoning,
        )

    def _cache_is_beside(self, prompt: int, cache: int) -> bool:
        """Whether tokens of the cache are to be added to the prompt's.

        More of them than of the prompt cannot be among it, on whatever protocol.
        """
        if not cache or "among" in self._counts:
            return cache > prompt
        if self._shape.cache_is_beside or cache > prompt:
            return True
        return self._counts.get("total") == prompt + cache + self._counts.get("completion", 0)

    def _take(self, report: Any, left_out: set[str]) -> bool:
        if not isinstance(report, Mapping):
            return False
        found = {name: tokens for name, tokens in self._read(report) if name not in left_out}
        for name, tokens in found.items():
            if tokens or not self._counts.get(name):
                self._counts[name] = tokens
        self.seen = self.seen or bool(found)
        return bool(found.get("completion"))

    def _read(self, report: Mapping[str, Any]) -> list[tuple[str, int]]:
        shape = self._shape
        counts = {
            "prompt": _first(report, shape.prompt),
            "completion": _first(report, shape.completion),
            "cached": _most(report, _CACHE_READ),
            "written": _most(report, _CACHE_WRITE),
            "written_5m": _most(report, _WRITTEN_5M),
            "written_1h": _most(report, _WRITTEN_1H),
            "reasoning": _most(report, _REASONING),
            "total": _first(report, _TOTAL),
        }
        if shape.cache_is_beside and counts["prompt"] is None:
            # Counts in the shape of chat, where the cache is among the prompt.
            among = _first(report, _MESSAGES_AS_CHAT)
            counts |= {"prompt": among, "among": 1 if among else None}
        return [(name, tokens) for name, tokens in counts.items() if tokens is not None]


def _first(report: Mapping[str, Any], paths: tuple[_Path, ...]) -> int | None:
    """Return the first count that is one and more than 0, else 0 where one says so."""
    found = None
    for path in paths:
        tokens = _count(report, path)
        if tokens:
            return tokens
        found = tokens if found is None else found
    return found


def _most(report: Mapping[str, Any], paths: tuple[_Path, ...]) -> int | None:
    """Return the largest of counts that mean the same under several names."""
    counts = [tokens for path in paths if (tokens := _count(report, path)) is not None]
    return max(counts, default=None)


def _count(report: Mapping[str, Any], path: _Path) -> int | None:
    """Return a count of tokens; None where there is none that can be read."""
    parent: Any = report
    for name in path[:-1]:
        parent = parent.get(name) if isinstance(parent, Mapping) else None
    if not isinstance(parent, Mapping):
        return None
    value: Any = parent.get(path[-1])
    if isinstance(value, str):
        text = value.strip()
        value = int(text.partition(".")[0]) if _WHOLE_NUMBER.fullmatch(text) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= _MAX_TOKENS:
        return None
    return value
