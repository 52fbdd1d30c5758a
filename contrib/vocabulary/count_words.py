"""Count words, signs and pairs of letters, and write what the gateway knows of them."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from multiprocessing import Pool
from pathlib import Path
from string import ascii_letters

from contrib.vocabulary.candidates import is_offensive, more_words, signs, words_of_vocabularies
from contrib.vocabulary.public_tokenizers import Count, load_for_words, openai_tokens

TARGET = Path(__file__).parents[2] / "adapters" / "wires" / "tokens"

_MOST_WORDS = 42_000
"""What a process reads in some 20 ms, and keeps in 5 MB."""

_LONGEST_SIGNS = 8
_WIDTH = 96

_BEFORE_A_WORD = ["", " ", "(", "_", ".", '"', "-", "/", "\n", "  ", "'", "1", "\t", ":"]
_BEHIND_A_WORD = ["", ",", ".", "(", "_", " ", "\n", "-", ":", '"', "'", "/", "1"]
_BEFORE_SIGNS = ["x", "x ", "1", "\n", "é", "w", "name"]
_BEHIND_SIGNS = ["", "a", "The", "name", " ", "\n", "1", "\n\n", " a", "é"]
_BLANKS = (" ", "\n", "\n\n")
"""What stands around is held by its bytes; what a word adds to it is the word's."""

_LETTERS_ALONE = frozenset("aIAàéyoe")
"""Words of a letter."""

_EIGHTHS, _MARGIN_EIGHTHS = 8, 9
_LEAST_GAIN, _LEAST_GAIN_OF_MORE = 12, 1
"""Eighths of a token that knowing a word has to spare, on a model that is held with a margin."""


def most_of_word(count: Count, word: str) -> int:
    """Return the most tokens that a word adds to what stands around it."""
    before = max(count(left + word) - _bytes_held(left) for left in _BEFORE_A_WORD)
    behind = max(
        max(count(f" {word}{right}"), count(f"({word}{right}") - 1) - len(right)
        for right in _BEHIND_A_WORD
    )
    return max(before, behind)


def _bytes_held(left: str) -> int:
    """Return what is held for what stands before a word: of its spaces, one is the word's."""
    return len(left) - left.endswith(" ")


def most_of_signs(count: Count, together: str) -> int:
    """Return the most tokens that signs add to what stands around them."""
    return max(
        count(left + together + right)
        - count(left)
        - (len(right) if right in _BLANKS or not right else count(right))
        for left in _BEFORE_SIGNS
        if not (left.endswith(" ") and together.startswith(" "))
        for right in _BEHIND_SIGNS
    )


@cache
def _tokenizers() -> Sequence[Count]:
    return list(load_for_words().values())


def _most_tokens(word: str) -> int:
    return max(most_of_word(count, word) for count in _tokenizers())


def _most_tokens_of_signs(together: str) -> int:
    return max(most_of_signs(count, together) for count in _tokenizers())


def _is_one_token(letters: str) -> bool:
    return all(count(letters) == 1 for count in _tokenizers())


class Choice:
    """Chooses the words that are worth knowing.

    Attributes:
        tokens: Words, each with its most tokens.
    """

    def __init__(self, tokens: Mapping[str, int], pairs: Iterable[str], letters: str) -> None:
        self.tokens = tokens
        self._pairs, self._letters = frozenset(pairs), letters

    def chosen(self, first: Sequence[str]) -> list[str]:
        """Return words, the most frequent first.

        Args:
            first: Those that no vocabulary ranks.
        """
        few, more = frozenset(first), [word for word in first if word in self.tokens]
        others = [word for word in self.tokens if len(word) > 1 or word in _LETTERS_ALONE]
        kept = [
            word
            for word in dict.fromkeys(more + others)
            if self._gain(word) >= (_LEAST_GAIN_OF_MORE if word in few else _LEAST_GAIN)
        ]
        rank = _ranks(frozenset(kept))
        found = [word for word in kept if word not in few and not is_offensive(word)]
        found.sort(key=lambda word: rank.get(word, len(kept)))
        return ([word for word in kept if word in few] + found)[:_MOST_WORDS]

    def _gain(self, word: str) -> int:
        """Return the eighths of a token that knowing a word spares, beside what its pairs do."""
        size = len(f" {word}".encode())
        known = _EIGHTHS * size - _MARGIN_EIGHTHS * self.tokens[word]
        joined = sum(a + b in self._pairs for a, b in pairwise(word))
        single = sum(len(letter.encode()) - 1 for letter in word if letter in self._letters)
        return known - _EIGHTHS * (-(-joined // 3) + single)


def _ranks(words: frozenset[str]) -> dict[str, int]:
    """Return how frequent words are, by the earlier place that OpenAI's vocabularies have."""
    ranks: dict[str, int] = {}
    for name in ("o200k", "cl100k"):
        in_order = dict.fromkeys(token.strip(" ") for token in openai_tokens(name))
        for rank, word in enumerate(word for word in in_order if word in words):
            ranks[word] = min(ranks.get(word, rank), rank)
    return ranks


def _written_words(tokens: Mapping[str, int], words: Iterable[str]) -> str:
    by_tokens = defaultdict(list)
    for word in words:
        by_tokens[tokens[word]].append(word)
    return "".join(
        f"{number} {line}\n"
        for number, same in sorted(by_tokens.items())
        for line in textwrap.wrap(
            " ".join(sorted(same)), _WIDTH, break_long_words=False, break_on_hyphens=False
        )
    )


def _written_signs(tokens: Mapping[str, int]) -> str:
    return "".join(
        f"{number} {together}\n"
        for together, number in sorted(tokens.items(), key=lambda each: (each[1], each[0]))
        if number < len(together) <= _LONGEST_SIGNS
    )


def _written_pairs(pairs: Iterable[str]) -> str:
    seconds = defaultdict(str)
    for first, second in sorted(pairs):
        seconds[first] += second
    return "".join(f"{first}{behind}\n" for first, behind in seconds.items())


def main() -> None:
    """Count, and write the three files; say which letters are one token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=TARGET, help="the folder of the files")
    parser.add_argument("--jobs", type=int, default=None, help="processes; one for each CPU")
    asked = parser.parse_args()
    with Pool(asked.jobs) as pool:

        def counted(words: Iterable[str]) -> dict[str, int]:
            listed = list(dict.fromkeys(words))
            return dict(zip(listed, pool.map(_most_tokens, listed, chunksize=500), strict=True))

        together = signs()
        most = pool.map(_most_tokens_of_signs, together, chunksize=50)
        of_signs = dict(zip(together, most, strict=True))
        first = more_words()
        tokens = counted([*words_of_vocabularies(), *first])
    pairs = [a + b for a in " " + ascii_letters for b in ascii_letters if _is_one_token(a + b)]
    beyond_ascii = filter(str.isalpha, map(chr, range(0xC0, 0x250)))
    letters = "".join(filter(_is_one_token, beyond_ascii))
    words = Choice(tokens, pairs, letters).chosen(first)
    asked.into.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("words.txt", _written_words(tokens, words)),
        ("signs.txt", _written_signs(of_signs)),
        ("pairs.txt", _written_pairs(pairs)),
    ):
        (asked.into / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"SINGLE_LETTERS in vocabulary.py: {letters}\n")


if __name__ == "__main__":
    main()
