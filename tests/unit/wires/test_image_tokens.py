"""An image is never held below what its provider documents, nor below what LiteLLM counts.

The figures are those that the providers' pages print.
"""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.wires.image_size import ImageSize
from adapters.wires.image_tokens import ANY_DETAIL, bound_of_image, bound_of_pages, usual_tokens
from creditcore.domain.pricing import ImageCount as Count
from tests.unit.wires.provider_images import (
    LIMITS,
    by_alibaba,
    by_anthropic,
    by_google,
    by_litellm,
    by_mistral,
    in_patches,
    in_tiles,
)

COUNTED = json.loads((Path(__file__).parents[2] / "data" / "litellm-image-counts.json").read_text())
"""What the token counter of LiteLLM 1.91.5 says; tests/peers asks one that runs."""

DETAILS = (None, "auto", "low", "medium", "high", "original", "ultra_high")
SIZES = st.tuples(*(st.integers(1, 9_000) | st.integers(1, 65_536),) * 2)


def bound(count: Count, width: int, height: int, detail: object = None) -> int:
    return bound_of_image(ImageSize(width, height), detail).by_count[count]


@pytest.mark.parametrize(
    ("count", "width", "height", "detail", "printed"),
    [
        # OpenAI, "Images and vision": by tiles,
        (Count.IN_TILES, 1024, 1024, "high", 85 + 4 * 170),
        (Count.IN_TILES, 2048, 4096, "high", 85 + 6 * 170),
        (Count.IN_TILES, 4096, 8192, "low", 85),
        (Count.IN_DEAR_TILES, 1024, 1024, "high", 2833 + 4 * 5667),
        (Count.IN_DEAR_TILES, 1024, 1024, "low", 2833),
        # by patches, whose multipliers were others in March than in September,
        (Count.GPT_4_1_MINI, 1024, 1024, None, ceil(1024 * 1.72)),
        (Count.GPT_4_1_MINI, 1800, 2400, None, ceil(1452 * 1.72)),
        (Count.GPT_4_1_NANO, 1024, 1024, None, ceil(1024 * 2.46)),
        (Count.GPT_4_1_NANO, 1800, 2400, None, ceil(1452 * 2.46)),
        (Count.GPT_5_2, 1024, 1024, None, 1229),
        (Count.GPT_5_4, 1024, 1024, "high", 1229),
        (Count.GPT_5_4, 2048, 2048, "high", 3000),
        (Count.GPT_5_4, 2048, 2048, "low", ceil(4096 * 1.2)),
        (Count.GPT_5_4, 6000, 6000, "original", 12_000),
        (Count.GPT_5_4_MINI, 2048, 2048, "high", 3000),
        (Count.GPT_5_4_MINI, 1800, 2400, "high", ceil(1452 * 2.46)),
        (Count.GPT_5_5, 6000, 6000, None, 12_000),
        (Count.GPT_5_5, 2048, 2048, "high", 3000),
        (Count.GPT_5_6, 3024, 4032, None, 14_364),
        (Count.GPT_5_6, 2048, 2048, "high", 3000),
        (Count.GPT_5_6, 4800, 6400, None, 36_000),
        # Anthropic, "Vision", today
        (Count.CLAUDE_3, 200, 200, None, 64),
        (Count.CLAUDE_3, 1000, 1000, None, 1296),
        (Count.CLAUDE_3, 1092, 1092, None, 1521),
        (Count.CLAUDE_3, 1920, 1080, None, 1560),
        (Count.CLAUDE_3, 3840, 2160, None, 1560),
        (Count.CLAUDE_4_7, 1920, 1080, None, 2691),
        (Count.CLAUDE_4_7, 2000, 1500, None, 3888),
        (Count.CLAUDE_4_7, 3840, 2160, None, 4784),
        # and before,
        (Count.CLAUDE_3, 1000, 1000, None, 1334),
        (Count.CLAUDE_3, 1092, 1092, None, 1590),
        (Count.CLAUDE_3, 784, 1568, None, 1639),
        # Google, "Image understanding" and "Media resolution",
        (Count.GEMINI_2, 384, 384, None, 258),
        (Count.GEMINI_2, 960, 540, None, 6 * 258),
        (Count.GEMINI_2, 960, 540, None, 256 + 2048),
        (Count.GEMINI_3, 3024, 4032, None, 1120),
        (Count.GEMINI_3, 3024, 4032, "ultra_high", 2240),
        # xAI, "Consumption and rate limits",
        (Count.GROK, 9000, 9000, None, 1792),
        # Mistral's tokenizer, for Pixtral and for later ones,
        (Count.PIXTRAL, 1024, 1024, None, (64 + 1) * 64),
        (Count.PIXTRAL, 1540, 1540, None, (55 + 1) * 55),
        (Count.MISTRAL, 1540, 1540, None, (55 + 1) * 55),
        # Alibaba, "Visual understanding".
        (Count.QWEN, 1092, 1092, None, 39 * 39 + 2),
        (Count.QWEN, 9000, 9000, None, 16_384 + 2),
    ],
)
def test_figures_of_the_providers_pages_are_covered(
    count: Count, width: int, height: int, detail: str | None, printed: int
) -> None:
    held = bound(count, width, height, detail)

    assert printed <= held
    assert held < 4 * max(printed, usual_tokens(ImageSize(width, height), "high"))


@given(size=SIZES)
@example(size=(1, 65_536))
@example(size=(65_536, 65_536))
@example(size=(3_025, 4_032))
def test_no_image_is_held_below_its_providers_formula(size: tuple[int, int]) -> None:
    wide, high = size
    for count, (multiplier, limits) in LIMITS.items():
        for detail, limit in limits.items():
            patches = in_patches(wide, high, *limit)
            assert patches * multiplier <= bound(count, wide, high, detail), (count, detail)
    assert 85 + 170 * in_tiles(wide, high) <= bound(Count.IN_TILES, wide, high)
    assert 2833 + 5667 * in_tiles(wide, high) <= bound(Count.IN_DEAR_TILES, wide, high)
    assert by_anthropic(wide, high, 1_568, 1_568) <= bound(Count.CLAUDE_3, wide, high)
    assert by_anthropic(wide, high, 2_576, 4_784) <= bound(Count.CLAUDE_4_7, wide, high)
    assert by_google(wide, high) <= bound(Count.GEMINI_2, wide, high)
    for turned in (size, size[::-1]):
        assert by_mistral(*turned, 1_024, 16) <= bound(Count.PIXTRAL, wide, high)
        assert by_mistral(*turned, 1_540, 28) <= bound(Count.PIXTRAL, wide, high)
        assert by_mistral(*turned, 65_536, 28) <= bound(Count.MISTRAL, wide, high)
    assert by_alibaba(wide, high) <= bound(Count.QWEN, wide, high)


def test_litellms_formula_here_is_its_own() -> None:
    for width, height, detail, tokens in COUNTED:
        assert by_litellm(width, height, detail) == tokens, (width, height, detail)


@given(size=SIZES, detail=st.sampled_from(DETAILS) | st.text() | st.lists(st.none()))
@example(size=(800, 100), detail="high")
def test_no_image_is_held_below_what_litellm_counts(size: tuple[int, int], detail: object) -> None:
    held = bound_of_image(ImageSize(*size), detail)

    assert by_litellm(*size, detail) <= min(held.by_count.values())
    assert max(held.by_count.values()) <= held.most


@given(size=SIZES)
def test_a_detail_that_may_be_lost_is_held_as_the_dearest(size: tuple[int, int]) -> None:
    for detail in DETAILS:
        for count in Count:
            assert bound(count, *size, detail) <= bound(count, *size, ANY_DETAIL)


def test_an_unknown_model_is_held_as_the_dearest_page() -> None:
    ten = bound_of_pages(10)

    assert ten.most == max(ten.by_count.values()) == 10 * (2833 + 8 * 5667)
    assert ten.by_count.keys() == set(Count)
