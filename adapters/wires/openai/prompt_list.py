"""Prompts as legacy completions and embeddings take them: text or tokens, one or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.wires.fields import invalid
from adapters.wires.prompt import Prompt

_HIGHEST_TOKEN_ID = 2**32 - 1
_UNSEEN_TOKENS_PER_PROMPT = 8
"""What tokenizers put around a text: a beginning, an end, a separator."""


@dataclass(frozen=True, slots=True)
class PromptList:
    """Prompts, checked.

    Attributes:
        count: How many there are.
        text_bytes: UTF-8 bytes of those that are text.
        token_ids: Tokens of those that came as tokens: each is exactly one.
    """

    count: int
    text_bytes: int
    token_ids: int

    @property
    def bound(self) -> int:
        """Tokens that they can never exceed, all together: a token has at least one byte."""
        return self.text_bytes + self.token_ids + _UNSEEN_TOKENS_PER_PROMPT * self.count

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens they are: four bytes of text each, rounded up."""
        return -(-self.text_bytes // 4) + self.token_ids


def read_prompts(value: object, name: str, *, most: int) -> PromptList:
    """Understand a string, a list of strings, a list of token ids, or a list of such lists.

    Args:
        value: The field's value.
        name: The field's name, for errors.
        most: How many prompts there may be.

    Raises:
        InvalidRequestError: It is none of these; the error names the place.
    """
    if isinstance(value, str):
        return _texts([value], name)
    if not isinstance(value, list) or not value:
        raise invalid(name, "must be a string, or a list of strings or of token ids")
    if type(value[0]) is int:
        return PromptList(1, 0, _count_ids(value, name))
    if len(value) > most:
        raise invalid(name, f"has {most} elements at most")
    if isinstance(value[0], list):
        ids = [_count_ids(item, f"{name}[{at}]") for at, item in enumerate(value)]
        return PromptList(len(value), 0, sum(ids))
    return _texts(value, name)


def text_prompt(value: object, name: str, *, most: int) -> PromptList:
    """Understand one text.

    Args:
        value: The field's value.
        name: The field's name, for errors.
        most: How many characters it may have.

    Raises:
        InvalidRequestError: It is something else, empty, or longer.
    """
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise invalid(name, f"must be a string of 1 to {most:,} characters")
    return _texts([value], name)


def _texts(value: list[Any], name: str) -> PromptList:
    size = Prompt()
    for at, text in enumerate(value):
        if not isinstance(text, str):
            raise invalid(f"{name}[{at}]", "must be a string, as the first one is")
        size.add_text(text)
    return PromptList(len(value), size.text_bytes, 0)


def _count_ids(value: object, place: str) -> int:
    if not isinstance(value, list) or not value:
        raise invalid(place, "must be a list of token ids")
    if not all(type(item) is int and 0 <= item <= _HIGHEST_TOKEN_ID for item in value):
        raise invalid(place, "must consist of token ids")
    return len(value)
