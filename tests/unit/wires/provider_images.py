"""How providers count images, by their own pages: never taken from the bound that is on trial."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, sqrt

from creditcore.domain.pricing import ImageCount as Count

LIMITS: dict[Count, tuple[float, dict[str | None, tuple[int, int]]]] = {
    Count.GPT_4_1_MINI: (1.72, {None: (2_048, 6_144)}),
    Count.GPT_4_1_NANO: (2.46, {None: (2_048, 6_144)}),
    Count.GPT_5_2: (1.2, {None: (2_048, 6_144)}),
    Count.GPT_5_4: (
        1.2,
        {None: (2_048, 2_500), "low": (2_048, 6_144), "original": (6_000, 10_000)},
    ),
    Count.GPT_5_4_MINI: (2.46, {None: (2_048, 1_536)}),
    Count.GPT_5_5: (1.2, {None: (6_000, 10_000), "low": (512, 256), "high": (2_048, 2_500)}),
    Count.GPT_5_6: (1.2, {None: (65_535, 30_000), "low": (512, 256), "high": (2_048, 2_500)}),
    Count.IN_PATCHES: (2.46, {None: (65_535, 30_000)}),
}
"""OpenAI's tokens for a patch, and by the detail its longer side and its most patches."""


def shrunk(width: float, height: float, side: int, *, rounded: Callable[[float], int]) -> list[int]:
    shrink = min(1, side / max(width, height))
    return [max(1, rounded(each * shrink)) for each in (width, height)]


def in_patches(width: int, height: int, side: int, budget: int) -> int:
    """Count as OpenAI's page does, step by step."""
    wide, high = shrunk(width, height, side, rounded=round)
    if ceil(wide / 32) * ceil(high / 32) > budget:
        shrink = sqrt(32 * 32 * budget / (wide * high))
        across, down = wide * shrink / 32, high * shrink / 32
        shrink *= min(floor(across) / across, floor(down) / down)
        wide, high = floor(wide * shrink), floor(high * shrink)
    return ceil(wide / 32) * ceil(high / 32)


def in_tiles(width: int, height: int) -> int:
    wide, high = shrunk(width, height, 2_048, rounded=round)
    shrink = min(1, 768 / min(wide, high))
    return ceil(int(wide * shrink) / 512) * ceil(int(high * shrink) / 512)


def by_anthropic(width: int, height: int, side: int, most: int) -> int:
    """Count the largest size of this shape that keeps to both limits."""
    wide, high = shrunk(width, height, side, rounded=round)
    while ceil(wide / 28) * ceil(high / 28) > most:
        wide, high = shrunk(width, height, max(wide, high) - 1, rounded=round)
    return ceil(wide / 28) * ceil(high / 28)


def by_alibaba(width: int, height: int) -> int:
    wide, high = round(width / 28), round(height / 28)
    if wide * high > 16_384:
        shrink = sqrt(width * height / (16_384 * 28 * 28))
        wide, high = int(width / shrink / 28), int(height / shrink / 28)
    return max(4, wide * high) + 2


def by_mistral(width: int, height: int, side: int, patch: int) -> int:
    wide, high = shrunk(width, height, side, rounded=round)
    return (ceil(wide / patch) + 1) * ceil(high / patch)


def by_google(width: int, height: int) -> int:
    """Count as Gemini 2 does, roughly."""
    crop = max(256, min(768, floor(min(width, height) / 1.5)))
    crops = 1 if max(width, height) <= 384 else ceil(width / crop) * ceil(height / crop)
    return 258 * crops


def by_litellm(width: int, height: int, detail: object) -> int:
    """Count as ``calculate_img_tokens`` of LiteLLM does."""
    if detail == "low":
        return 85
    if max(width, height) > 768:
        aspect = max(width, height) / min(width, height)
        long, short = int(768 * aspect), 768
        if long > 2_000:
            long, short = 2_000, int(2_000 / aspect)
        width, height = (short, long) if width <= height else (long, short)
    return 85 + 170 * ((width + 511) // 512) * ((height + 511) // 512)
