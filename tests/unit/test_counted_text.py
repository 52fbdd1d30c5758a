"""What is held for a text that was counted: more than the count, by how far that can be trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore.domain.pricing.counted_text import held_by_count, least_held, size_of

ENGLISH = "The committee met on Tuesday to speak about next year and its budget. " * 20
"""1,400 bytes, which are some 300 tokens."""


def test_a_providers_own_count_is_held_with_a_tenth_more() -> None:
    assert held_by_count([ENGLISH], 300, by_provider=True) == 330 + 16


def test_the_count_of_a_stand_in_is_held_with_half_as_much_more() -> None:
    assert held_by_count([ENGLISH], 300, by_provider=False) == 450 + 64


def test_what_is_left_over_of_a_margin_is_held_whole() -> None:
    assert held_by_count([ENGLISH], 301, by_provider=True) == 332 + 16
    assert held_by_count([ENGLISH], 301, by_provider=False) == 452 + 64


@pytest.mark.parametrize("by_provider", [False, True])
@given(texts=st.lists(st.text(max_size=200), min_size=1, max_size=4), tokens=st.integers(1, 10**6))
def test_never_fewer_are_held_than_were_counted(
    by_provider: bool, texts: list[str], tokens: int
) -> None:
    held = held_by_count(texts, tokens, by_provider=by_provider)

    assert held >= tokens
    assert held >= least_held(size_of(texts))


def test_digits_may_be_a_token_each() -> None:
    # To OpenAI they are a third as many.
    assert held_by_count(["0123456789" * 30], 100, by_provider=False) >= 300


@pytest.mark.parametrize("blank", ["\n", "\t", "\r\n", "\t\n"])
def test_ends_of_lines_and_tabs_may_be_a_token_each(blank: str) -> None:
    assert held_by_count([blank * 600], 20, by_provider=False) >= 600


@pytest.mark.parametrize("sign", [";", "=", "x", "é", "\u00a0", "━", "\u3000", "🙂", "ab"])
def test_signs_in_a_row_may_be_a_token_for_each_byte(sign: str) -> None:
    text = sign * 400

    held = held_by_count([text], 20, by_provider=False)

    assert held >= len(text.encode())


def test_spaces_in_a_row_are_no_token_each() -> None:
    assert held_by_count([" " * 4_000], 50, by_provider=False) == 1_000 + 64


def test_words_that_a_stand_in_knows_as_one_token_are_held_by_their_length() -> None:
    text = " translatesAutoresizingMaskIntoConstraints" * 100

    assert held_by_count([text], 100, by_provider=False) == len(text) // 4 + 64


def test_a_provider_that_counts_next_to_nothing_is_not_believed() -> None:
    assert held_by_count([ENGLISH], 1, by_provider=True) == 1_400 // 8 + 16


def test_a_size_is_in_bytes_of_utf_8() -> None:
    assert size_of(["abc", "é", "🙂"]) == 3 + 2 + 4
