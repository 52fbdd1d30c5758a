"""Which reported token counts count: per field, per protocol, when one report or several come.

A provider reports once, or again and again; a relay may end with zeros, leave a side out, or
write a count as text. Each field is read by itself, under every name it is known by. Of several
reports the last value of a field counts, and a zero never takes a count back.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from creditcore.domain.pricing import Usage, make_usage

_MAX_TOKENS = 10**10
"""A count above this is a fault of its provider: no context is a thousandth of it."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,11}(?:\.0{1,9})?")

_Names = dict[str, Any]
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
    names: _Names
    cache_is_beside: bool = False


_INPUT_DETAILS: _Names = {
    "cached_tokens": "cached",
    "cache_read_tokens": "cached",
    "cache_creation_tokens": "written",
    "cache_write_tokens": "written",
    "cache_creation_token_details": {
        "ephemeral_5m_input_tokens": "written_5m",
        "ephemeral_1h_input_tokens": "written_1h",
    },
}
_OUTPUT_DETAILS: _Names = {"reasoning_tokens": "reasoning"}
_NAMES: _Names = {
    **dict.fromkeys(("total_tokens", "totalTokens", "totalTokenCount"), "total"),
    "prompt_tokens_details": _INPUT_DETAILS,
    "input_tokens_details": _INPUT_DETAILS,
    "cached_tokens": "cached",
    "num_cached_tokens": "cached",  # Mistral's
    "cache_read_input_tokens": "cached",
    "prompt_cache_hit_tokens": "cached",
    "prompt_cache_miss_tokens": "missed",
    "cache_creation_input_tokens": "written",
    "cache_write_tokens": "written",
    # As Bedrock, Gemini and libraries of JavaScript write them, where a relay leaves them so.
    **dict.fromkeys(
        (
            "cachedContentTokenCount",
            "cachedInputTokens",
            "cacheReadInputTokens",
            "cacheReadInputTokenCount",
        ),
        "cached",
    ),
    **dict.fromkeys(("cacheWriteInputTokens", "cacheWriteInputTokenCount"), "written"),
    **dict.fromkeys(("thoughtsTokenCount", "reasoningTokens"), "reasoning"),
    "billed_units": {"input_tokens": "prompt", "output_tokens": "completion"},  # Cohere's
    "cache_creation": _INPUT_DETAILS["cache_creation_token_details"],
    "completion_tokens_details": _OUTPUT_DETAILS,
    "output_tokens_details": _OUTPUT_DETAILS,
    **_OUTPUT_DETAILS,
}


def _shape(
    prompt: tuple[str, ...], completion: tuple[str, ...], *, cache_is_beside: bool = False
) -> Shape:
    names = {prompt[0]: "prompt", completion[0]: "completion", **_NAMES}
    return Shape(prompt, completion, names, cache_is_beside)


_PROMPT, _COMPLETION = "prompt_tokens", "completion_tokens"
_INPUT, _OUTPUT = "input_tokens", "output_tokens"

_PROMPTS = (_PROMPT, "promptTokens", "promptTokenCount", "prompt_eval_count")
_INPUTS = (_INPUT, "inputTokens", "inputTokenCount")
_COMPLETIONS = (_COMPLETION, "completionTokens", "candidatesTokenCount", "eval_count")
_OUTPUTS = (_OUTPUT, "outputTokens", "outputTokenCount")

CHAT = _shape((*_PROMPTS, *_INPUTS), (*_COMPLETIONS, *_OUTPUTS))
EMBEDDINGS = _shape((*_PROMPTS, *_INPUTS, "total_tokens"), (*_COMPLETIONS, *_OUTPUTS))
RESPONSES = _shape((*_INPUTS, *_PROMPTS), (*_OUTPUTS, *_COMPLETIONS))
MESSAGES = _shape(_INPUTS, (*_OUTPUTS, *_COMPLETIONS), cache_is_beside=True)

_READ = ("prompt", "cached", "written")


class Reports:
    """What the reports of one answer add up to, as far as they have come."""

    def __init__(self, shape: Shape) -> None:
        """Start with nothing reported.

        Args:
            shape: Where the protocol keeps its counts.
        """
        self._shape = shape
        self._counts: dict[str, int] = {}

    def begin(self, report: object) -> None:
        """Take a report from before anything was written: its output is a placeholder."""
        self.add(report, left_out=("completion", "reasoning"))

    def add(self, report: object, *, left_out: tuple[str, ...] = ()) -> bool:
        """Take a report, which may be partial; whether it counts what was written so far."""
        if not isinstance(report, dict):
            return False
        found = self._read(report)
        for name in left_out:
            found.pop(name, None)
        if self._moves_what_was_read(found):
            for name in _READ:
                if found.get(name) == 0:
                    self._forget(name)
        for name, tokens in found.items():
            if tokens:
                self._counts[name] = tokens
        return bool(found.get("completion"))

    @property
    def usage(self) -> Usage | None:
        """The counts so far, 0 for a side that no report has; None where none has either."""
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
        return make_usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=written_1h,
            reasoning_tokens=reasoning,
        )

    def _cache_is_beside(self, prompt: int, cache: int) -> bool:
        """Whether tokens of the cache are to be added to the prompt's.

        More of them than of the prompt cannot be among it, on any protocol.
        """
        if not cache or "among" in self._counts:
            return cache > prompt
        if self._shape.cache_is_beside or cache > prompt:
            return True
        return self._counts.get("total") == prompt + cache + self._counts.get("completion", 0)

    def _moves_what_was_read(self, found: dict[str, int]) -> bool:
        """Whether a report tells anew what was read, of which a zero is then a part.

        Where the cache stands beside the prompt, tokens that were told as the one may turn out
        to be the other. A report of fewer in all is partial, and its zeros say nothing. Nor does
        an input of 0 in one of more, which some write where they know of the cache alone, unless
        its total says that this is all.
        """
        if not self._shape.cache_is_beside or "among" in found:
            return False
        before = sum(self._counts.get(name, 0) for name in _READ)
        read = sum(found.get(name, 0) for name in _READ)
        if read <= before:
            return read == before > 0
        is_all = found.get("total") == read + found.get("completion", 0)
        return before > 0 and (is_all or found.get("prompt") != 0)

    def _forget(self, name: str) -> None:
        self._counts.pop(name, None)
        if name == "written":
            self._counts.pop("written_5m", None)
            self._counts.pop("written_1h", None)

    def _read(self, report: dict[str, Any]) -> dict[str, int]:
        """Return the counts in a report. Names that it does not have cost nothing."""
        shape = self._shape
        found: dict[str, int] = {}
        _gather(report, shape.names, found)
        if not found.get("prompt"):
            _find(report, "prompt", shape.prompt, found)
            if shape.cache_is_beside and "prompt" not in found:
                # Counts in the shape of chat, where the cache is among the prompt.
                _find(report, "prompt", _PROMPTS, found)
                found["among"] = found.get("prompt", 0)
        if not found.get("completion"):
            _find(report, "completion", shape.completion, found)
        missed = found.pop("missed", 0)
        if missed and not found.get("prompt"):
            found["prompt"] = found["among"] = missed + found.get("cached", 0)
        _complete(found)
        return found


def count_at(document: object, *path: str) -> int | None:
    """Return the count that stands at a place of a document; None where none does."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return _tokens(document)


def _gather(report: dict[str, Any], names: _Names, found: dict[str, int]) -> None:
    """Add what stands under these names; of several for the same count, the largest."""
    for name, value in report.items():
        count = names.get(name)
        if count is None:
            continue
        if type(count) is not str:
            if isinstance(value, dict):
                _gather(value, count, found)
            continue
        # Nearly all are whole numbers already.
        tokens = value if type(value) is int and 0 <= value <= _MAX_TOKENS else _tokens(value)
        if tokens is not None and tokens > found.get(count, -1):
            found[count] = tokens


def _find(
    report: dict[str, Any], count: str, names: tuple[str, ...], found: dict[str, int]
) -> None:
    """Add the first count that is one and more than 0, else 0 where one says so."""
    for name in names:
        tokens = _tokens(report.get(name))
        if tokens is not None:
            found[count] = tokens
        if tokens:
            return


def _complete(found: dict[str, int]) -> None:
    """Add the one side that is missing, where the total tells it."""
    total = found.get("total", 0)
    prompt, completion = found.get("prompt", 0), found.get("completion", 0)
    if found.get("cached") or found.get("written") or not total > prompt + completion:
        return  # the cache may be what the total has beyond the prompt
    if prompt and not completion:
        found["completion"] = total - prompt
    elif completion and not prompt:
        found["prompt"] = total - completion


def _tokens(value: object) -> int | None:
    """Return a count of tokens; None where there is none that can be read."""
    if type(value) is not int:
        if isinstance(value, str):
            text = value.strip()
            value = int(text.partition(".")[0]) if _WHOLE_NUMBER.fullmatch(text) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int:
            return None
    return value if 0 <= value <= _MAX_TOKENS else None


def reported_usage(report: object) -> Usage | None:
    """Return the counts of one whole report, as LiteLLM writes them for every protocol.

    They have the names of chat, whatever the call was (recorded from 1.91.5 and 1.106.4: the
    ``usage_object`` of its callbacks). None where it has none that can be read.
    """
    reports = Reports(CHAT)
    reports.add(report)
    return reports.usage
