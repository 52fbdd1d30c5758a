"""Write texts of all kinds with their counts, which tests hold the gateway to without tokenizers.

``count_words.py`` has to be run before, as some of the texts are made of what it writes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from contrib.vocabulary.public_tokenizers import Count, load
from contrib.vocabulary.text_parts import TextParts
from contrib.vocabulary.try_texts import CLIMBED, Climber

TARGET = Path(__file__).parents[2] / "tests" / "data" / "token-counts.jsonl"

_SAMPLES = Path(__file__).with_name("samples.txt")
_HOSTILE = Path(__file__).with_name("hostile_texts.txt")
_SHORTEST, _LONGEST = 50, 400
_TEXTS_OF_A_SAMPLE, _RANDOM_TEXTS, _MOST_KINDS = 5, 200, 4
_CLIMBED_FOR = ("o200k", "gemma3", "claude2", "yi")


def texts(
    chance: Random, climber: Climber, parts: TextParts, counts: Mapping[str, Count]
) -> Iterator[str]:
    """Yield texts: pieces of the samples, random ones, hostile ones, and those of climbs."""
    for sample in re.split(r"^== .*\n", _SAMPLES.read_text(encoding="utf-8"), flags=re.MULTILINE):
        for _ in range(_TEXTS_OF_A_SAMPLE if sample else 0):
            begin = chance.randrange(max(1, len(sample) - _SHORTEST))
            yield sample[begin : begin + chance.randint(_SHORTEST, _LONGEST)]
    for _ in range(_RANDOM_TEXTS):
        kinds = chance.sample(list(parts.kinds), chance.randint(1, _MOST_KINDS))
        yield "".join(parts.parts(kinds, 40))[: chance.randint(_SHORTEST, _LONGEST)]
    for unit in _HOSTILE.read_text(encoding="utf-8").splitlines():
        yield unit * max(1, _LONGEST // len(unit))
    for kinds in CLIMBED:
        for name in _CLIMBED_FOR:
            yield climber.climbed(counts[name], kinds, number=20, times=1)[:_LONGEST]


def main() -> None:
    """Write a line of JSON for each text: itself, and its tokens by the order of the first line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200, help="of each climb")
    parser.add_argument("--into", type=Path, default=TARGET)
    asked = parser.parse_args()
    chance, counts = Random(asked.seed), load()
    parts = TextParts(chance)
    climber = Climber(chance, parts, asked.steps)
    lines: list[object] = [list(counts)]
    lines += [
        [text, [count(text) for count in counts.values()]]
        for text in dict.fromkeys(texts(chance, climber, parts, counts))
    ]
    asked.into.write_text(
        "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
