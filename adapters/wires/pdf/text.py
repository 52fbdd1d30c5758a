"""How much text stands in the bytes of a page, and what a letter of it may become."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from adapters.wires.pdf.glyph_names import KNOWN
from adapters.wires.pdf.syntax import Effort, UnreadableError

# One that is nested deeper, or does not end, leaves a bracket over.
_STRING = re.compile(
    rb"\((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\))*+(?:\)|(?=\()|\\?\Z)", re.DOTALL
)
_DIGITS = re.compile(rb"<[0-9A-Fa-f\0\t\n\f\r ]*+>")
_UNCLEAR = re.compile(rb"[()%]|(?<!<)(?:<<)*+<(?!<)|\bBI\b")
"""A comment or an image among the text: what is a string behind it, readers may see otherwise."""

_MAPPED = re.compile(rb"beginbf(char|range)(.*?)(?:endbf|\Z)", re.DOTALL)
_CODES = re.compile(rb"<([0-9A-Fa-f\0\t\n\f\r ]*)>")
_LIGATURE = re.compile(
    rb"(?<![A-Za-z0-9_])(?:[A-Za-z0-9]++_)++[A-Za-z0-9]++|uni(?:[0-9A-F]{4}){2,}+"
)

LONGEST_LETTER = 3
"""Bytes of UTF-8 that one letter takes, but for those that maps and names of fonts tell."""

_LONGEST_LIGATURE = 33
_LONGEST_CODE = 4
_MAX_MAPPED = 1024
"""Digits of what a map makes of one code; maps may have twice as many. Sorting the accents of a
longer text takes by the square of its length."""

# Bytes that take a microsecond, and microseconds that one more find takes.
_CONTENT, _MAP, _FONT = 6, 3, 24
_FOUND = 2


class Shown(NamedTuple):
    """What one stream of a page shows.

    Attributes:
        letters: Bytes in its strings, of which each is a letter at most.
        strings: How many strings they are in.
        drawings: How often it draws an image, or another stream of the same kind.
        clear: Whether every reader sees the same strings in it.
    """

    letters: int
    strings: int
    drawings: int
    clear: bool


def shown_by(content: bytes, effort: Effort) -> Shown:
    """Return how much text a stream of drawing instructions shows at most."""
    effort.spend(len(content) // _CONTENT)
    # A string that does not end takes the last bracket too.
    rest, strings = _STRING.subn(b" ", content + b")")
    # Digits stand for a string too, and hold no brackets, so that the order is safe.
    instructions, of_digits = _DIGITS.subn(b" ", rest[:-1])
    if rest[-1:] != b")" or _UNCLEAR.search(instructions):
        return Shown(len(content), len(content), content.count(b"Do"), clear=False)
    letters = len(content) + 1 - len(rest) - strings
    digits = len(rest) - 1 - len(instructions) - of_digits
    return Shown(
        letters=letters + (digits + 1) // 2,
        strings=strings + of_digits,
        drawings=instructions.count(b"Do"),
        clear=True,
    )


def longest_mapped(streams: Iterable[bytes], effort: Effort) -> int:
    """Return the bytes of UTF-8 that maps of fonts make of one letter.

    Raises:
        UnreadableError: That is unclear.
    """
    longest = 0
    for data in streams:
        for found in _MAPPED.finditer(data):
            kind, section = found.groups()
            effort.spend(_FOUND + len(section) // _MAP)
            # A string in brackets, or the name of a glyph: allowed, and no program writes one.
            if b"(" in section or b"/" in section:
                raise UnreadableError
            for code in set(_CODES.findall(section)):
                longest = max(longest, _mapped(bytes(code), counts_on=kind == b"range"))
    return longest


def _mapped(code: bytes, *, counts_on: bool) -> int:
    digits = b"".join(code.split())
    if len(digits) > _MAX_MAPPED:
        raise UnreadableError
    text = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()).decode(
        "utf-16-be", "replace"
    )
    # Some readers write ligatures out: U+FDFA is eighteen letters.
    length = max(len(text.encode()), len(unicodedata.normalize("NFKC", text).encode()))
    if not counts_on or not text:
        return length
    # The last letter of it goes through a range, which may lead to a longer one.
    last = _LONGEST_LIGATURE if "\ufb00" <= text[-1] <= "\ufdff" else LONGEST_LETTER
    return max(length, len(text[:-1].encode()) + last)


def longest_name(names: Iterable[bytes]) -> int:
    """Return the bytes of UTF-8 that the longest name of a glyph stands for.

    ``f_f_i`` is three letters, ``uni00660069`` two. What a reader does not know, it may show as
    it is written.
    """
    return max((_letters_named(each) for each in set(names) if each not in KNOWN), default=0)


def names_in(fonts: Iterable[bytes], effort: Effort) -> Iterator[bytes]:
    """Return names in the bytes of fonts that stand for more than one letter."""
    for font in fonts:
        effort.spend(len(font) // _FONT)
        for found in _LIGATURE.finditer(font):
            effort.spend(_FOUND)
            yield found[0]


def _letters_named(name: bytes) -> int:
    if len(name) == 1:
        return LONGEST_LETTER
    parts = name.split(b".")[0].split(b"_")
    return max(len(b"/" + name), sum(map(_letters_of_part, parts)))


def _letters_of_part(part: bytes) -> int:
    if len(part) <= 1:
        return len(part)
    if part.startswith(b"uni"):
        return max(1, (len(part) - 3) // 4) * LONGEST_LETTER
    return _LONGEST_CODE if part.startswith(b"u") else LONGEST_LETTER
