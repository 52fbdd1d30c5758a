"""Parts of random texts, of kinds that tokenizers part in different places."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from string import ascii_lowercase, ascii_uppercase

from adapters.wires.tokens.vocabulary import read_pairs, read_signs, read_words

_CHARACTERS = [
    *".,;:!?()[]{}\"'`-_/\\|@#$%^&*+=<>~\n\t",
    "\r\n",
    "\u2019",
    *"“”—\u2013…€£·«»éüñ中\u0439\u0438اअ😀\u0301\u00a0\u200b\x07",
    "\\n",
    '\\"',
    "\\u0041",
]
_CONTRACTIONS = ["'s", "'t", "'re", "n't", "'ll", "'d", "'ve", "\u2019s", "\u2019t"]


class TextParts:
    """Makes parts by chance; each kind is a method's name without ``a_``."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._words, self._signs = list(read_words()), list(read_signs())
        self._small = [word for word in self._words if word.islower()]
        self._capitals = [word for word in self._words if word.isupper()]
        self._capitalized = [word for word in self._words if len(word) > 1 and word.istitle()]
        self._beyond_ascii = [word for word in self._words if not word.isascii()]
        self._follow = defaultdict(list)
        for first, second in sorted(read_pairs()):
            if second.islower():
                self._follow[first].append(second)
        self.kinds: dict[str, Callable[[], str]] = {
            name.removeprefix("a_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("a_")
        }

    def parts(self, kinds: Sequence[str], number: int) -> list[str]:
        """Return so many parts of some kinds."""
        return [self.part(kinds) for _ in range(number)]

    def part(self, kinds: Sequence[str]) -> str:
        """Return a part of one of some kinds."""
        return self.kinds[self._chance.choice(kinds)]()

    def a_word(self) -> str:
        return self._chance.choice(self._words)

    def a_spaced_word(self) -> str:
        return " " + self.a_word()

    def a_word_beyond_ascii(self) -> str:
        return self._maybe_space() + self._chance.choice(self._beyond_ascii)

    def a_word_cut_short(self) -> str:
        word = self.a_word()
        return self._maybe_space() + word[: self._chance.randint(1, len(word))]

    def a_character(self) -> str:
        return self._chance.choice(_CHARACTERS)

    def a_run_of_signs(self) -> str:
        return self._chance.choice(self._signs)

    def a_run_of_blanks(self) -> str:
        return " " * self._chance.randint(1, 40)

    def a_new_line(self) -> str:
        return "\n" + " " * self._chance.randint(0, 24)

    def a_number(self) -> str:
        return str(self._chance.randint(0, 99_999))

    def a_row_of_small_letters(self) -> str:
        return self._letters(ascii_lowercase, most=9)

    def a_row_of_capitals(self) -> str:
        return self._letters(ascii_uppercase, most=6)

    def a_row_of_pairs(self) -> str:
        row = self._chance.choice("abcdefghijklmnoprstuvwy")
        for _ in range(self._chance.randint(1, 12)):
            row += self._chance.choice(self._follow[row[-1]])
        return self._maybe_space() + row

    def a_contraction(self) -> str:
        return self._chance.choice(_CONTRACTIONS)

    def a_camel_case(self) -> str:
        humps = self._chance.choices(self._capitalized, k=self._chance.randint(1, 4))
        return self._chance.choice(self._small) + "".join(humps)

    def a_camel_of_capitals(self) -> str:
        return self._chance.choice(self._capitals) + self._chance.choice(self._capitalized)

    def a_snake_case(self) -> str:
        return "_".join(self._chance.choices(self._small, k=self._chance.randint(2, 4)))

    def a_base64(self) -> str:
        return base64.b64encode(self._chance.randbytes(self._chance.randint(3, 30))).decode()

    def a_hexadecimal(self) -> str:
        return self._chance.randbytes(8).hex()

    def _letters(self, letters: str, *, most: int) -> str:
        return "".join(self._chance.choices(letters, k=self._chance.randint(1, most)))

    def _maybe_space(self) -> str:
        return self._chance.choice(["", " "])
