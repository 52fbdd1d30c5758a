"""What fifteen tokenizers agree on: the most tokens that any of them makes of a word.

The files beside this were counted by the tokenizers themselves (docs/decisions/0037); each word
with what may stand around it, so that it comes to no more in any text.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

SINGLE_LETTERS = frozenset("Éßàáâãäåæçèéêëíïñóôöøúüýāćčěğīıłōőœśşšūž")
"""Letters of two bytes that are one token to each of them."""


def read_words() -> dict[str, int]:
    """Return words, each with its most tokens: a space before it is one of them."""
    return {
        word: int(tokens) for tokens, _, words in _rows("words.txt") for word in words.split(" ")
    }


def read_signs() -> dict[str, int]:
    """Return signs that stand together, with their most tokens, some with a space before them."""
    return {signs: int(tokens) for tokens, _, signs in _rows("signs.txt")}


def read_pairs() -> frozenset[str]:
    """Return the pairs of ASCII letters, or of a space and a letter, that each of them joins."""
    lines = (_HERE / "pairs.txt").read_text().splitlines()
    return frozenset(line[0] + second for line in lines for second in line[1:])


def _rows(name: str) -> list[tuple[str, str, str]]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.partition(" ") for line in lines]
