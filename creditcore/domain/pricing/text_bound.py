"""How many tokens a prompt is held for, by what is known of its model.

Any tokenizer makes a token of a byte at most, and of the words that people use much fewer. How few
is counted by the tokenizers that are public; what others make of it may be somewhat more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from creditcore.domain.money import div_ceil
from creditcore.domain.pricing.image_counts import IMAGE_COUNTS, ImageCount

UNSEEN_TOKENS = 256
"""What templates add unseen: the preamble of a model, today's date, its channels."""

UNSEEN_TOOL_TOKENS = 768
"""What providers add when there are tools: Anthropic writes up to 600 tokens about using them."""

_UNSEEN_AT_MAKERS, _UNSEEN_TOOLS_AT_PUBLIC = 32, 128
"""What makers add that run their models themselves: Anthropic, Google and OpenAI."""

_UNSEEN_AT_XAI = 1_024
"""Its pages show some 700 tokens for a question of two sentences."""

_NOT_PUBLIC_MARGIN = (9, 8)
"""Claude's tokenizers are not public, nor those of models whose maker is not known."""

_ANTHROPIC = frozenset({ImageCount.CLAUDE_3, ImageCount.CLAUDE_4_7})
_PUBLIC = frozenset(
    {
        ImageCount.IN_TILES,
        ImageCount.IN_DEAR_TILES,
        ImageCount.IN_PATCHES,
        ImageCount.GPT_4_1_MINI,
        ImageCount.GPT_4_1_NANO,
        ImageCount.GPT_5_2,
        ImageCount.GPT_5_4,
        ImageCount.GPT_5_4_MINI,
        ImageCount.GPT_5_5,
        ImageCount.GPT_5_6,
        ImageCount.GEMINI_2,
        ImageCount.GEMINI_3,
    }
)
"""Those of OpenAI and of Google, whose Gemma has the tokenizer of Gemini.

Where it is known how a model counts images, it is known who made it.
"""


class TextSize(NamedTuple):
    """What is known of the text in a prompt, beside its bytes.

    Attributes:
        spared: How many fewer tokens than bytes it is, to each tokenizer that is public.
        unseen: Tokens that its bound has for what templates add.
        has_tools: Whether some of these are for tools that it describes.
    """

    spared: int = 0
    unseen: int = 0
    has_tools: bool = False


PLAIN_TEXT = TextSize()
"""Nothing is known of it."""

SHORT_TEXT = TextSize(unseen=UNSEEN_TOKENS)
"""Of nearly every call: its bytes are all, and a template may add to them."""


def text_bound(by_bytes: int, size: TextSize, features: frozenset[str]) -> int:
    """Return the tokens that the text of a prompt can never exceed.

    Args:
        by_bytes: What it can never exceed on any model: its bytes, and what is added unseen.
        size: What else is known of it.
        features: What is known of its model.
    """
    if size is PLAIN_TEXT:
        return by_bytes
    if size is SHORT_TEXT:
        return by_bytes - UNSEEN_TOKENS + _unseen_in_short_text(features)
    makers = features & IMAGE_COUNTS
    is_public = _are_public(makers)
    bound = by_bytes - size.unseen - size.spared
    if size.spared and not is_public:
        times, of = _NOT_PUBLIC_MARGIN
        bound = min(by_bytes - size.unseen, div_ceil(bound * times, of))
    return bound + _unseen(size, makers, is_public=is_public)


def counted_part(by_bytes: int, size: TextSize, features: frozenset[str]) -> int:
    """Return what a count of a text is held in place of: all but what xAI adds, unseen by it."""
    bound = text_bound(by_bytes, size, features)
    if size.unseen and ImageCount.GROK in features:
        bound -= _UNSEEN_AT_XAI - size.unseen
    return bound


@lru_cache(maxsize=256)
def _unseen_in_short_text(features: frozenset[str]) -> int:
    makers = features & IMAGE_COUNTS
    return _unseen(SHORT_TEXT, makers, is_public=_are_public(makers))


def _are_public(makers: frozenset[str]) -> bool:
    """Whether it is known who made a model, and its tokenizer: of several, each has to be."""
    return bool(makers) and makers <= _PUBLIC


def _unseen(size: TextSize, makers: frozenset[str], *, is_public: bool) -> int:
    if size.unseen and ImageCount.GROK in makers:
        return _UNSEEN_AT_XAI + UNSEEN_TOOL_TOKENS * size.has_tools
    if not makers or not makers <= _PUBLIC | _ANTHROPIC:
        return size.unseen
    for_tools = _UNSEEN_TOOLS_AT_PUBLIC if is_public else UNSEEN_TOOL_TOKENS
    return min(size.unseen, _UNSEEN_AT_MAKERS + for_tools * size.has_tools)
