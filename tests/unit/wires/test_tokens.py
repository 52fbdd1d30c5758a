"""What is known of words spares tokens, and never more than the public tokenizers do."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.tokens import spared, spared_in, spared_in_json

DATA = Path(__file__).parents[2] / "data" / "token-counts.jsonl"
NAMES, *COUNTED = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]

TOKEN_BEFORE = {"llama2", "mistral3"}
"""SentencePiece puts a blank before a text, which may be a token by itself."""


def held(text: str) -> int:
    """Return the tokens that a text is held for by itself."""
    return len(text.encode()) - spared_in(text)


def held_in_json(text: str) -> int:
    """Return the tokens that it is held for as JSON."""
    written = orjson.dumps(text)
    return len(written) - spared_in_json(written)


@pytest.mark.parametrize("hold", [held, held_in_json])
@pytest.mark.parametrize("name", NAMES)
def test_no_recorded_text_is_more_tokens_than_it_is_held_for(
    name: str, hold: Callable[[str], int]
) -> None:
    at, before = NAMES.index(name), name in TOKEN_BEFORE

    exceeded = [text for text, counts in COUNTED if counts[at] - before > hold(text)]

    assert exceeded == []


def test_there_are_recorded_texts_of_many_kinds() -> None:
    texts = [text for text, _ in COUNTED]

    assert len(texts) > 350
    assert sum(held(text) < len(text.encode()) * 2 // 3 for text in texts) > 150


@given(st.text())
def test_no_more_is_spared_than_there_are_bytes(text: str) -> None:
    assert 0 <= spared_in(text) <= len(text.encode())
    assert (not text) or held(text) > 0


@given(st.text(alphabet="ab AB\n\t\"\\{}[],:.é中'", max_size=200))
def test_within_json_no_more_is_spared_either(text: str) -> None:
    written = orjson.dumps([text, text])

    assert 0 <= spared_in_json(written) < len(written)


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_nothing_spares_nothing(nothing: str) -> None:
    assert spared_in(nothing) == 0
    assert spared_in_json(b"") == 0


def test_a_word_is_a_token_with_the_space_before_it() -> None:
    assert held("the school and the house") == 5


def test_the_first_word_has_no_space_before_it() -> None:
    assert spared_in("the") == 2
    assert spared_in(" the") == 3
    # Nor has the first of each line.
    assert spared_in("the\nthe") == 4


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # To gpt-4o; one more than the words by themselves would be too few.
        (" ERROrder", 4),
        (" KERNELEntry", 6),
        # To gpt-3.5.
        (" FEATURERequested", 7),
        # To Gemma.
        ("AppLGBTReturning", 7),
    ],
)
def test_capitals_close_together_are_held_as_what_a_tokenizer_makes_of_them(
    text: str, tokens: int
) -> None:
    assert held(text) >= tokens
    assert held(text * 50) >= tokens * 50


def test_capitals_close_together_never_take_what_other_words_spare() -> None:
    assert held("The committee met AaBbC DDe EEf GGh") <= 3 + len(" AaBbC DDe EEf GGh")


def test_of_blanks_in_a_row_one_is_the_words_and_the_others_are_a_token_or_more() -> None:
    assert held("the" + " " * 2 + "the") == 3
    assert held("the" + " " * 12 + "the") == 3
    assert held("the" + " " * 31 + "the") == 2 + 1 + 2
    assert held("the" + " " * 61 + "the") == 2 + 1 + 4


def test_each_run_of_blanks_is_a_token_of_its_own() -> None:
    assert held("the" + "  the" * 10) >= 1 + 10 * 2


def test_blanks_at_the_end_of_a_line_are_no_words() -> None:
    assert held("the ") == 2
    assert held("the   ") >= 2


def test_of_pairs_that_all_join_every_third_is_joined_at_least() -> None:
    # It is no word, and each two of its letters are a pair.
    unknown = "intherestonsea"
    assert unknown not in spared._WORDS
    assert all(a + b in spared._PAIRS for a, b in pairwise(unknown))

    assert spared_in(unknown) == -(-(len(unknown) - 1) // 3)


def test_letters_that_are_no_pair_are_a_token_each() -> None:
    assert held("jqzqjqzqj") == len("jqzqjqzqj")
    assert held("7539012846") == 10


def test_of_letters_beyond_ascii_those_of_europe_are_one_token_at_most() -> None:
    assert held("ñññ") == 3
    assert held("йцу") == 6
    assert held("中文") == 6
    assert held("😀") == 4


def test_a_word_too_long_to_be_one_is_held_by_its_bytes() -> None:
    assert held("the" * 20) == 60
    assert spared_in("the" * 15) > 0


def test_what_is_escaped_in_json_is_not_held_twice() -> None:
    assert spared_in_json(orjson.dumps("\n" * 10)) == 10
    assert spared_in_json(orjson.dumps("\t" * 10)) == 10
    assert spared_in_json(b'"7\\"7\\"7"') == 2


def test_a_backslash_before_an_n_is_held_as_both() -> None:
    assert held_in_json("\\n" * 50) >= 2 * 50


@pytest.mark.parametrize("count", [spared_in, lambda text: spared_in_json(text.encode())])
def test_what_is_behind_the_most_bytes_spares_nothing(count: Callable[[str], int]) -> None:
    words = "the committee met. "
    most = words * (spared.MOST_BYTES // len(words) + 1)

    assert count(most) > 0
    assert count(most + words * 1_000) == count(most)


def test_what_is_kept_is_emptied_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spared, "_MOST_KEPT", 100)
    kept = spared._Kept(len)
    pieces = ["x" * size for size in range(250)]

    first = kept.spared(pieces)
    again = kept.spared(pieces)

    assert first == again == sum(range(250))
    assert len(kept._by_hash) <= 100


@given(st.lists(st.sampled_from(["the", "  ", "HTTPError", "zqx", "né", "},{", "\n", " "])))
def test_what_was_counted_before_comes_to_the_same_again(pieces: list[str]) -> None:
    text = "".join(pieces)
    before = spared_in(text)
    spared._words._by_hash.clear()
    spared._lines._by_hash.clear()

    assert spared_in(text) == before
