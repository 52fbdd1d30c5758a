"""How many fewer tokens than bytes a text is, at least, whatever tokenizer its model has.

A token of any tokenizer is a byte at least, and that is all that holds for any text. Of the words
that people use it is known how many tokens they are: the most that any of fifteen tokenizers makes
of them. What is not known stays at its bytes, but for pairs of letters that each of them joins:
of three letters that stand in such pairs, no two can be left alone side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import add

from adapters.wires.tokens.vocabulary import SINGLE_LETTERS, read_pairs, read_signs, read_words

MOST_BYTES = 256 * 1024
"""What is behind them is held by its bytes: to look at so much takes some milliseconds, or a fifth
of a second where it is made to be slow, while other calls wait."""

_LONGEST = 48
"""Letters of a longer word are not known to be joined: a word this long is none."""

_MOST_KEPT = 50_000
"""Words, and lines: about 5 MB of each in a process."""

_BLANKS_PER_TOKEN = 15
_BLANKS = re.compile("  +")
_SIGNS = r"| ?[!-/:-@\[-`{-~]+"
_ASCII_PARTS = re.compile(r" ?(?:[A-Z]?[a-z]+|[A-Z]+(?![a-z]))" + _SIGNS)
_LETTERS = r"a-z\u00c0-\u1fff\u2070-\U0010ffff"
_PARTS = re.compile(rf" ?(?:[A-Z]?[{_LETTERS}]+|[A-Z]+(?![{_LETTERS}]))" + _SIGNS)
"""Words, with the space before them; those written together by their capitals; signs.
Letters beyond ASCII count as small ones: a word with one that is not known is a word like any."""

_CLOSE_CAPITALS = re.compile("[A-Z](?=[A-Z][a-z])")
"""As in ``HTTPError``: a tokenizer may join one of the first word with those of the second."""

_PER_CLOSE_CAPITALS = 3
"""``ERROrder`` is four tokens, where ``ERR`` is one, and so is ``Order``; ``FEATURERequested`` is
three more than its words."""

_BACKSLASH = "\0"
"""In place of one, until all other escapes are read: JSON has no such letter in it."""

_ESCAPES = (
    (r"\\", _BACKSLASH),
    (r"\n", "\n"),
    (r"\t", "\t"),
    (r"\"", '"'),
    (r"\r", "\r"),
    (r"\f", "\f"),
    (r"\b", "\b"),
    (_BACKSLASH, "\\"),
)
"""A letter of an escape is none of the word behind it."""

_BETWEEN, _PARTED = "},{", "},\n{"
"""Where one message or one tool ends and the next begins, and is kept for itself."""

_WORDS, _SIGNS_TOGETHER, _PAIRS = read_words(), read_signs(), read_pairs()


def spared_in_json(written: bytes) -> int:
    """Return how many fewer tokens than bytes JSON is, at least."""
    text = written[:MOST_BYTES].decode(errors="ignore")
    letters = len(text)
    for escape, letter in _ESCAPES:
        text = text.replace(escape, letter)
    return letters - len(text) + spared_in(text.replace(_BETWEEN, _PARTED))


def spared_in(text: str) -> int:
    """Return how many fewer tokens than bytes of UTF-8 a text is, at least."""
    return _lines.spared(text[:MOST_BYTES].split("\n"))


class _Kept:
    """What pieces of text spare, as they come up: in a conversation, each comes with every turn.

    The pieces themselves are not kept, but hashes that only this process can make of them.

    Args:
        count: Returns what a piece spares.
    """

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._by_hash: dict[int, int] = {}

    def spared(self, pieces: list[str]) -> int:
        """Return what pieces spare together."""
        kept = map(self._by_hash.get, map(hash, pieces))
        return sum(
            self._counted(piece) if spared is None else spared
            for piece, spared in zip(pieces, kept, strict=True)
        )

    def _counted(self, piece: str) -> int:
        spared = self._count(piece)
        if len(self._by_hash) >= _MOST_KEPT:
            self._by_hash.clear()
        self._by_hash[hash(piece)] = spared
        return spared


def _spared_in_line(line: str) -> int:
    first, *others = line.split(" ")
    if not others:
        return _spared_in_words(first)
    spared = _spared_in_words(first) + _words.spared(others)
    # Between two words, a blank fewer than they are; the last of a line is no word's.
    further = others.count("") - (not others[-1])
    return spared + (_spared_blanks(line, further) if further else 0)


def _spared_blanks(line: str, further: int) -> int:
    """Return what blanks spare beside the one that is a word's; ``further`` is how many are."""
    return max(0, further - len(_BLANKS.findall(line)) - further // _BLANKS_PER_TOKEN)


def _spared_after_space(piece: str) -> int:
    return _spared_in_words(" " + piece)


def _spared_in_words(piece: str) -> int:
    found = (_ASCII_PARTS if piece.isascii() else _PARTS).findall(piece)
    close = _PER_CLOSE_CAPITALS * len(_CLOSE_CAPITALS.findall(piece))
    return max(0, sum(map(_spared_by, found)) - close)


_words, _lines = _Kept(_spared_after_space), _Kept(_spared_in_line)


def _spared_by(part: str) -> int:
    if len(part) > _LONGEST:
        return 0
    known = _WORDS.get(part.lstrip(" ")) or _SIGNS_TOGETHER.get(part)
    joined = _joined(part)
    return joined if known is None else max(len(part.encode()) - known, joined)


def _joined(part: str) -> int:
    """Return how many of its bytes are never tokens by themselves, at least.

    A tokenizer joins what it can: where two letters make a pair that it knows, one of them is in
    a token of more. So at least every third pair is joined.
    """
    pairs = sum(map(_PAIRS.__contains__, map(add, part, part[1:])))
    beyond_ascii = 0 if part.isascii() else sum(map(SINGLE_LETTERS.__contains__, part))
    return -(-pairs // 3) + beyond_ascii
