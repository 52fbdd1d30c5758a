"""How many tokens a text is held for, by what is known of its model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore.domain.pricing import ImageCount
from creditcore.domain.pricing.text_bound import PLAIN_TEXT, TextSize, text_bound

NOT_KNOWN = frozenset[str]()
CLAUDE, GROK = frozenset({ImageCount.CLAUDE_4_7}), frozenset({ImageCount.GROK})
PUBLIC = [
    frozenset({count}) for count in ImageCount if count.name.startswith(("IN_", "GPT_", "GEMINI_"))
]
PUBLIC_IDS = [next(iter(features)) for features in PUBLIC]

PROSE = TextSize(spared=600, unseen=256)
"""Of 1,000 bytes."""

BY_BYTES = 1_000 + 256
WITH_TOOLS = TextSize(spared=600, unseen=256 + 768, has_tools=True)
BY_BYTES_WITH_TOOLS = BY_BYTES + 768

bounds = st.integers(0, 10_000).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(0, size), st.booleans())
)
makers = st.frozensets(st.sampled_from(list(ImageCount)), max_size=3)


@pytest.mark.parametrize("features", PUBLIC, ids=PUBLIC_IDS)
def test_public_tokenizers_are_taken_at_their_word(features: frozenset[str]) -> None:
    assert text_bound(BY_BYTES, PROSE, features) == 400 + 32


@pytest.mark.parametrize("features", PUBLIC, ids=PUBLIC_IDS)
def test_makers_of_public_ones_add_little_for_tools(features: frozenset[str]) -> None:
    assert text_bound(BY_BYTES_WITH_TOOLS, WITH_TOOLS, features) == 400 + 32 + 128


def test_those_of_claude_have_an_eighth_more() -> None:
    assert text_bound(BY_BYTES, PROSE, CLAUDE) == 450 + 32


def test_claude_is_told_more_about_tools() -> None:
    assert text_bound(BY_BYTES_WITH_TOOLS, WITH_TOOLS, CLAUDE) == 450 + 32 + 768


def test_of_a_model_that_is_not_known_all_unseen_is_held() -> None:
    assert text_bound(BY_BYTES, PROSE, NOT_KNOWN) == 450 + 256
    assert text_bound(BY_BYTES_WITH_TOOLS, WITH_TOOLS, NOT_KNOWN) == 450 + 256 + 768


def test_makers_that_are_neither_public_nor_claude_are_not_known() -> None:
    assert text_bound(BY_BYTES, PROSE, frozenset({ImageCount.QWEN})) == 450 + 256


def test_grok_adds_many_of_its_own() -> None:
    assert text_bound(BY_BYTES, PROSE, GROK) == 450 + 1_024
    assert text_bound(BY_BYTES_WITH_TOOLS, WITH_TOOLS, GROK) == 450 + 1_024 + 768


def test_behind_a_name_of_several_makers_the_worst_is_held() -> None:
    public = PUBLIC[0]

    assert text_bound(BY_BYTES, PROSE, public | CLAUDE) == 450 + 32
    assert text_bound(BY_BYTES_WITH_TOOLS, WITH_TOOLS, public | CLAUDE) == 450 + 32 + 768
    assert text_bound(BY_BYTES, PROSE, public | GROK) == 450 + 1_024
    assert text_bound(BY_BYTES, PROSE, public | {ImageCount.MISTRAL}) == 450 + 256


def test_other_features_of_a_model_say_nothing_of_its_maker() -> None:
    assert text_bound(BY_BYTES, PROSE, frozenset({"vision"})) == 450 + 256
    assert text_bound(BY_BYTES, PROSE, PUBLIC[0] | {"vision"}) == 400 + 32


@pytest.mark.parametrize("features", [NOT_KNOWN, CLAUDE, GROK, *PUBLIC])
def test_of_plain_text_its_bytes_are_all(features: frozenset[str]) -> None:
    assert text_bound(BY_BYTES, PLAIN_TEXT, features) == BY_BYTES


def test_the_margin_is_none_where_nothing_is_spared() -> None:
    assert text_bound(BY_BYTES, TextSize(unseen=256), CLAUDE) == 1_000 + 32


def test_the_margin_never_makes_more_than_the_bytes() -> None:
    assert text_bound(BY_BYTES, TextSize(spared=1, unseen=256), CLAUDE) == 1_000 + 32


@given(bounds, makers)
def test_never_less_than_public_tokenizers_make_nor_more_than_bytes(
    bound: tuple[int, int, bool], features: frozenset[str]
) -> None:
    size, few, has_tools = bound
    unseen = 256 + 768 * has_tools
    text = TextSize(spared=few, unseen=unseen, has_tools=has_tools)

    held = text_bound(size + unseen, text, features)

    assert size - few < held <= size + 1_024 + 768 * has_tools
    assert held <= text_bound(size + unseen, text, features | {ImageCount.GROK})
