"""What is counted: words of the tokenizers' own vocabularies, words beside them, and signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from contrib.vocabulary.public_tokenizers import tokens_of_all

_HERE = Path(__file__).parent

_SMALL = "a-zß-öø-ÿāăąćčďđēęěğģīįıķļłńňņōőŕřśşšţťūůűųźżžơưạ-ỹ"
_CAPITAL = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞĢĪĮİĶĻŁŃŇŅŌŐŔŘŚŞŠŢŤŪŮŰŲŹŻŽƠƯẠ-Ỹ"
_WORD = re.compile(f"[{_CAPITAL}]?[{_SMALL}]+|[{_CAPITAL}]+")
_WORD_OF_MORE = re.compile("[A-Za-zÀ-ỹ]{2,}")

_OFFENSIVE = re.compile(
    r"porn|fuck|shit|nigg|cunt|bitch|whore|slut|sexvid|xxx|xnxx|xvideo|milf|rape|faggot|hentai|tits"
    r"|dildo|blowjob|escort|penis|vagina|erotic|jav(hd|tube)|pussy|cock(s|$)|dick(s|$)|orgasm|anal$"
    r"|bdsm|nazi|hitler",
    re.IGNORECASE,
)

_PERSONS = ("ni", "u", "a", "tu", "m", "wa")
_TENSES = ("na", "li", "ta", "me")
_OF_THINGS = ("ili", "ina", "ime", "ita", "zina", "inayo")


def words_of_vocabularies() -> list[str]:
    """Return the words that some token is with a space before it: where they begin a word."""
    words: dict[str, bool] = {}
    for token in tokens_of_all():
        word = token.strip(" ")
        if _WORD.fullmatch(word):
            words[word] = words.get(word, False) or token.startswith(" ")
    return [word for word, is_spaced in words.items() if is_spaced]


def more_words() -> list[str]:
    """Return those of languages that vocabularies know little of, as they are written and not.

    Those of two letters at least; each also with a capital.
    """
    words = list(dict.fromkeys(_more_words()))
    capitalized = [word.capitalize() for word in words]
    return [word for word in dict.fromkeys(words + capitalized) if _WORD_OF_MORE.fullmatch(word)]


def is_offensive(word: str) -> bool:
    """Whether a word offends readers of the file; in a text it is held by its letters."""
    return bool(_OFFENSIVE.search(word))


def signs() -> list[str]:
    """Return signs that stand together, some with a space before them."""
    return (_HERE / "signs_to_count.txt").read_text().splitlines()


def _more_words() -> Iterator[str]:
    for line in (_HERE / "more_words.txt").read_text(encoding="utf-8").splitlines():
        kind, *words = line.split()
        if kind == "@stems":
            for stem in words:
                yield from _forms(stem)
        elif kind != "#":
            yield from (kind, *words)


def _forms(stem: str) -> Iterator[str]:
    """Return what Swahili makes of a verb, most often."""
    yield f"ku{stem}"
    for person in _PERSONS:
        yield from (f"{person}{tense}{stem}" for tense in _TENSES)
    yield from (f"{no}{stem[:-1]}i" for no in ("si", "ha", "hawa"))
    yield from (f"{thing}{stem}" for thing in _OF_THINGS)
