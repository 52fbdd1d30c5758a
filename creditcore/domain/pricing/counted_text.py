"""How many tokens are held for a text that was counted, instead of one for each of its bytes.

A count is no bound: tokenizers differ, and a caller may write a text for the one that
counts. How far it is trusted is said here; docs/decisions/0036-holds-by-count.md says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from creditcore.domain.money import div_ceil

_PROVIDER_MARGIN = (11, 10)
"""Anthropic calls its own count an estimate; what differs is a few tokens a message."""

_PROVIDER_UNSEEN = 16
_PROVIDER_BYTES_PER_TOKEN = 8
"""No usual text has more."""

_STAND_IN_MARGIN = (3, 2)
"""The tokenizer of another model counts. For what people write, those in use come to at most 1.5
times as many, but for digits."""

_STAND_IN_UNSEEN = 64
"""What templates add unseen, such as today's date."""

_STAND_IN_BYTES_PER_TOKEN = 4
"""However long the words are, or the blanks, that are one token to the stand-in."""

_DIGITS = "0123456789"
_SINGLE_BLANKS = "\n\t"
_LONGEST_SIGN, _LEAST_REPEATS = 4, 3


def size_of(texts: Sequence[str]) -> int:
    """Return the bytes of texts in UTF-8."""
    return sum([len(text) if text.isascii() else len(text.encode()) for text in texts])


def least_held(size: int) -> int:
    """Return the tokens that are held for a text of so many bytes by the most hopeful count."""
    return div_ceil(size, _PROVIDER_BYTES_PER_TOKEN) + _PROVIDER_UNSEEN


def held_by_count(texts: Sequence[str], tokens: int, *, by_provider: bool) -> int:
    """Return how many tokens to hold for texts: more than were counted.

    Args:
        texts: What was counted.
        tokens: How many tokens they are.
        by_provider: Whether the model's own provider has counted, and not a stand-in.
    """
    size = size_of(texts)
    if by_provider:
        times, of = _PROVIDER_MARGIN
        return max(div_ceil(tokens * times, of) + _PROVIDER_UNSEEN, least_held(size))
    times, of = _STAND_IN_MARGIN
    counted = div_ceil(tokens * times, of) + sum(map(_tokens_by_themselves, texts))
    return max(counted, div_ceil(size, _STAND_IN_BYTES_PER_TOKEN)) + _STAND_IN_UNSEEN


def _tokens_by_themselves(text: str) -> int:
    """Return how many more tokens a text may be where those are apart that others join.

    OpenAI has three digits in a token, Qwen, Gemma and Mistral each in its own. Ends of lines, tabs
    and signs in a row are one token in one vocabulary, and many in another.
    """
    digits = sum(map(text.count, _DIGITS))
    blanks = sum(map(text.count, _SINGLE_BLANKS))
    return div_ceil(digits, 2) + blanks + _repeated_bytes(text.replace(" ", "").encode())


def _repeated_bytes(data: bytes) -> int:
    """Return how many bytes repeat signs of one to four bytes that were there three times before.

    A number as long as the text is compared with itself, moved: a zero is a byte that is equal.
    """
    number, most = int.from_bytes(data), 0
    for length in range(1, _LONGEST_SIGN + 1):
        moves = [8 * length * times for times in range(1, _LEAST_REPEATS + 1)]
        differing = 0
        for move in moves:
            differing |= number ^ (number >> move)
        most = max(most, differing.to_bytes(len(data)).count(0))
    return most
