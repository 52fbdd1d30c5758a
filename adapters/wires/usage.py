"""Which reported token counts count: per field, per protocol, when one report or several come.

A provider reports once, or again and again; a relay may end with zeros, leave a side out, or
write a count as text. Each field is read by itself, under every name it is known by. Of several
reports the last value of a field counts, and a zero never takes a count back.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.wires.usage_names import CHAT, PROMPTS, Names, Shape
from creditcore.domain.pricing import Usage, make_usage

_MAX_TOKENS = 10**10
"""A count above this is a fault of its provider: no context is a thousandth of it."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,11}(?:\.0{1,9})?")

_READ = ("prompt", "cached", "written")
_BY_AGE = ("written_long", "written_briefly")


class Reports:
    """What the reports of one answer add up to, as far as they have come."""

    def __init__(self, shape: Shape) -> None:
        """Start with nothing reported.

        Args:
            shape: Where the protocol keeps its counts.
        """
        self._shape = shape
        self._counts: dict[str, int] = {}
        self._added_up: Usage | None = None

    def begin(self, report: object) -> None:
        """Take a report from before anything was written: its output is a placeholder."""
        self.add(report, left_out=("completion", "reasoning", "thoughts"))

    def add(self, report: object, *, left_out: tuple[str, ...] = ()) -> bool:
        """Take a report, which may be partial; whether it counts what was written so far."""
        if not isinstance(report, dict):
            return False
        self._added_up = None
        found = self._read(report)
        for name in left_out:
            found.pop(name, None)
        if self._counts:
            self._forget_what_is_told_anew(found)
        for name, tokens in found.items():
            if tokens:
                self._counts[name] = tokens
        return bool(found.get("completion"))

    @property
    def usage(self) -> Usage | None:
        """The counts so far, 0 for a side that no report has; None where none has either."""
        if self._added_up is None:  # it is asked for several times
            self._added_up = self._add_up()
        return self._added_up

    def _add_up(self) -> Usage | None:
        counts = self._counts
        prompt = counts.get("prompt", 0) + counts.get("tools", 0)
        cached, written_long = counts.get("cached", 0), counts.get("written_long", 0)
        written = max(counts.get("written", 0), counts.get("written_briefly", 0) + written_long)
        completion = counts.get("completion", 0)
        if cached or written:
            if self._cache_is_beside(prompt, cached, written):
                prompt += cached + written
            elif cached + written > prompt:
                written = prompt - cached
                written_long = min(written_long, written)
        reasoning = counts.get("reasoning", 0) or counts.get("thoughts", 0)
        if reasoning and self._reasoning_is_beside(prompt, completion, reasoning):
            completion += reasoning
        reasoning = min(reasoning, completion)
        if not prompt and not completion:
            return None
        return make_usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=written_long,
            reasoning_tokens=reasoning,
        )

    def _cache_is_beside(self, prompt: int, cached: int, written: int) -> bool:
        """Whether tokens of the cache are to be added to the prompt's.

        More of them than of the prompt cannot be among it, on any protocol, but for what is
        counted twice: OpenAI counts a write from the beginning of the prompt, with what was read
        of it, which is not billed again. Then the total says that there is no more.
        """
        counts = self._counts
        if self._shape.cache_is_beside and "among" not in counts:
            return True
        more = counts.get("total", 0) - prompt - counts.get("completion", 0)
        if cached + written > prompt:
            return max(cached, written) > prompt or more != 0
        # As much reasoning would be what the total has more, as xAI writes it.
        is_reasoning = more in (counts.get("reasoning"), counts.get("thoughts"))
        return more == cached + written and not is_reasoning and "among" not in counts

    def _reasoning_is_beside(self, prompt: int, completion: int, reasoning: int) -> bool:
        """Whether tokens of reasoning are to be added to the completion's.

        More of them than of the completion are no part of it, unless the total says that there is
        no more: LiteLLM counts the reasoning of some providers itself, by another tokenizer. Only
        Perplexity's total leaves them out, as it does what was cited.
        """
        total, is_more = self._counts.get("total"), reasoning > completion
        if total == prompt + completion:
            return is_more and "cited" in self._counts
        if is_more or "thoughts" in self._counts:
            return True
        return total == prompt + completion + reasoning

    def _cut_ages(self, written: int) -> None:
        """Cut what an earlier report said of ages to what a later one says in all."""
        for name in _BY_AGE:
            if name in self._counts:
                self._counts[name] = min(self._counts[name], written)
                written -= self._counts[name]

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

    def _forget_what_is_told_anew(self, found: dict[str, int]) -> None:
        """Forget counts that a report has another word for, or for which it says 0 on purpose."""
        if self._moves_what_was_read(found):
            for name in _READ:
                if found.get(name) == 0:
                    self._forget(name)
                    if name == "written":
                        self._forget(*_BY_AGE)
        if any(map(found.get, _BY_AGE)):
            self._forget(*(name for name in _BY_AGE if found.get(name) == 0))
        elif found.get("written"):
            self._cut_ages(found["written"])
        if found.get("prompt"):
            self._forget("among")

    def _forget(self, *names: str) -> None:
        for name in names:
            self._counts.pop(name, None)

    def _read(self, report: dict[str, Any]) -> dict[str, int]:
        """Return the counts in a report. Names that it does not have cost nothing."""
        shape = self._shape
        found: dict[str, int] = {}
        _gather(report, shape.names, found)
        if not found.get("prompt"):
            _find(report, "prompt", shape.prompt, found)
            if shape.cache_is_beside and "prompt" not in found:
                # Counts in the shape of chat, where the cache is among the prompt.
                _find(report, "prompt", PROMPTS, found)
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


def _gather(report: dict[str, Any], names: Names, found: dict[str, int]) -> None:
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
