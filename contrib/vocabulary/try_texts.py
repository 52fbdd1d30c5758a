"""Look for texts that are more tokens than what they are held for: random ones, and climbed ones.

A climb changes a part of a text at a time, and keeps what is not fewer tokens for its bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random

import orjson

from adapters.wires.tokens import spared_in, spared_in_json
from contrib.vocabulary.public_tokenizers import ONE_TOKEN_BEFORE, Count, load
from contrib.vocabulary.text_parts import TextParts

_PARTS_OF_A_TEXT, _MOST_KINDS = 40, 4
_SHAPES = ((_PARTS_OF_A_TEXT, 1), (4, 10))
"""Of how many parts a climbed text is, and how often they are repeated."""

_LETTERS_PRINTED = 120

CLIMBED = (
    ("word", "spaced_word", "character", "new_line", "run_of_blanks", "number"),
    ("spaced_word", "word", "run_of_signs"),
    ("word_beyond_ascii", "spaced_word", "character"),
    ("camel_case", "spaced_word", "row_of_capitals"),
    ("camel_of_capitals", "spaced_word", "row_of_capitals"),
    ("contraction", "spaced_word", "word", "character"),
    ("word_cut_short", "spaced_word", "character"),
    ("row_of_pairs", "row_of_small_letters"),
    ("base64", "hexadecimal"),
    ("snake_case", "character"),
)
"""Kinds that a climb makes its parts of."""


def bounds(text: str) -> tuple[int, int]:
    """Return the tokens that a text is held for by itself, and within JSON."""
    written = orjson.dumps(text)
    quotes = 2
    return len(text.encode()) - spared_in(text), len(written) - quotes - spared_in_json(written)


@dataclass
class Worst:
    """The text that has come closest to its bound, or beyond, for each tokenizer."""

    found: dict[str, tuple[float, str]] = field(default_factory=dict)
    exceeded: int = 0

    def see(self, name: str, text: str, tokens: int, bound: int) -> None:
        """Remember a text if it is the worst so far."""
        ratio = (tokens - (name in ONE_TOKEN_BEFORE)) / bound
        self.exceeded += ratio > 1
        if ratio > self.found.get(name, (0.0, ""))[0]:
            self.found[name] = ratio, text

    def say(self, heading: str) -> None:
        """Print what was found, the worst first."""
        sys.stdout.write(f"{heading}: {self.exceeded} beyond their bound\n")
        for name, (ratio, text) in sorted(self.found.items(), key=lambda each: -each[1][0]):
            sys.stdout.write(f"  {name:15} {ratio:.3f} {text[:_LETTERS_PRINTED]!r}\n")
        sys.stdout.flush()


class Climber:
    """Improves texts step by step.

    Attributes:
        steps: How many are tried for a text.
    """

    def __init__(self, chance: Random, parts: TextParts, steps: int) -> None:
        self.steps = steps
        self._chance, self._parts = chance, parts

    def climbed(self, count: Count, kinds: Sequence[str], *, number: int, times: int) -> str:
        """Return a text that is as many tokens for its bound as the steps have found.

        Args:
            count: The tokenizer.
            kinds: Of its parts.
            number: How many different ones it has.
            times: How often it repeats them.
        """
        best, most = "", 0.0
        parts = self._parts.parts(kinds, number)
        for _ in range(self.steps):
            changed = list(parts)
            for _ in range(self._chance.randint(1, 2)):
                changed[self._chance.randrange(number)] = self._parts.part(kinds)
            text = "".join(changed) * times
            reached = count(text) / bounds(text)[0]
            if reached >= most:
                parts, best, most = changed, text, reached
        return best


def main() -> None:
    """Try texts, and say the worst for each tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=2_000, help="random ones")
    parser.add_argument("--steps", type=int, default=800, help="of each climb; 0 for none")
    parser.add_argument("--tokenizers", nargs="*", help="those that are climbed for; all if none")
    asked = parser.parse_args()
    chance = Random(asked.seed)
    parts, counts = TextParts(chance), load()
    climber = Climber(chance, parts, asked.steps)

    worst = Worst()
    for _ in range(asked.texts):
        kinds = chance.sample(list(parts.kinds), chance.randint(1, _MOST_KINDS))
        text = "".join(parts.parts(kinds, _PARTS_OF_A_TEXT))
        bound = min(bounds(text))
        for name, count in counts.items():
            worst.see(name, text, count(text), bound)
    worst.say("Random texts")

    for kinds in CLIMBED if asked.steps else ():
        worst = Worst()
        for name, (number, times) in product(asked.tokenizers or counts, _SHAPES):
            text = climber.climbed(counts[name], kinds, number=number, times=times)
            worst.see(name, text, counts[name](text), min(bounds(text)))
        worst.say(", ".join(kinds))


if __name__ == "__main__":
    main()
