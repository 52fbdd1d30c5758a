"""How many tokens an image is at most, by the way in which its model counts.

Each way is what the provider's own page says, and where its versions differ, the most of them;
with the figures of each: docs/decisions/0033-documents-by-pages.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from adapters.wires.image_size import ImageSize
from creditcore.domain.pricing import ImageCount
from creditcore.ports.inference import MediaBound

ANY_DETAIL = "any"
"""For an image whose detail may be lost on its way: whichever counts the most. So is one that no
page knows.
"""

_NO_DETAIL = (None, "auto")
_DETAILS = (*_NO_DETAIL, "low", "medium", "high", "original", "ultra_high")

_TILE_SIDE, _MOST_TILES = 512, 8
_TILED_SHORT, _TILED_LONG = 768, 2_048
"""OpenAI scales an image down to these; LiteLLM up as well, where one side is above 768."""

_UNSCALED_TILE_TOKENS = 640
"""For models that take an image as it is: 32 by 32 pixels to 2.46 tokens (OpenAI's smallest)."""

_GEMINI_PIXELS, _LEAST_CROP, _MOST_CROP, _CROP_TOKENS = 384, 256, 768, 258
"""Gemini 2 cuts what is larger into squares of two thirds of its shorter side, within these."""

_PAN_AND_SCAN_TOKENS = 2_306
"""Google's page on media resolution has 258, and about 2,048 for the cuts."""


class _Tiles(NamedTuple):
    """Tokens for an image, and for each square of 512 pixels of it."""

    base: int
    each: int

    def tokens(self, size: ImageSize, detail: str | None) -> int:
        """Count an image; in low detail it has no squares."""
        return self.base if detail == "low" else self.base + self.each * _tiles(size)

    @property
    def of_page(self) -> int:
        """What the picture of a page is."""
        return self.base + self.each * _MOST_TILES


class _Limit(NamedTuple):
    """What OpenAI scales an image down to: its longer side, and squares of 32 pixels."""

    side: int
    patches: int


_SMALL = _Limit(512, 256)
_HIGH = _Limit(2_048, 2_500)
_LARGE = _Limit(2_048, 6_144)
_ORIGINAL = _Limit(6_000, 10_000)
_WHOLE = _Limit(65_536, 30_000)
"""More is refused."""

_PAGE_PATCHES = 4_096
"""A page is taken to be within 2,048 by 2,048 pixels, as an image of high detail is."""


class _Patches(NamedTuple):
    """Tokens for a hundred squares of 32 pixels, and what each detail is scaled down to."""

    of_hundred: int
    usual: _Limit
    low: _Limit
    high: _Limit
    original: _Limit

    def tokens(self, size: ImageSize, detail: str | None) -> int:
        """Count an image."""
        if detail in _NO_DETAIL:
            return self._within(size, self.usual)
        limits = {"low": self.low, "high": self.high}
        return self._within(size, limits.get(str(detail), self.original))

    @property
    def of_page(self) -> int:
        """What the picture of a page is."""
        return self._count(_PAGE_PATCHES)

    def _within(self, size: ImageSize, limit: _Limit) -> int:
        return self._count(min(_squares(_fit(size, limit.side), 32), limit.patches))

    def _count(self, patches: int) -> int:
        # It may be one more, says OpenAI's page.
        return -(-patches * self.of_hundred // 100) + 1


class _Visual(NamedTuple):
    """Anthropic's tokens of 28 by 28 pixels: the longer side that it scales to, and the most."""

    side: int
    most: int

    def tokens(self, size: ImageSize, _detail: str | None) -> int:
        """Count an image, by the page of today or by that of earlier models."""
        fit = _fit(size, self.side)
        return min(max(_squares(fit, 28), -(-fit.width * fit.height // 750)), self.most)

    @property
    def of_page(self) -> int:
        """What the picture of a page is."""
        return self.most


_USUAL = _Tiles(85, 170)
"""LiteLLM counts so for every model."""


def _gemini_2(size: ImageSize, _detail: str | None) -> int:
    if max(size) <= _GEMINI_PIXELS:
        return _CROP_TOKENS
    crop = min(max(min(size) * 2 // 3, _LEAST_CROP), _MOST_CROP)
    # Beside the whole of it.
    return max((1 + _squares(size, crop)) * _CROP_TOKENS, _PAN_AND_SCAN_TOKENS)


def _gemini_3(_size: ImageSize, detail: str | None) -> int:
    """Count by its media resolution, of which LiteLLM makes one of what is called the detail."""
    return 2_240 if detail in {"ultra_high", ANY_DETAIL} else 1_120


def _grok(_size: ImageSize, _detail: str | None) -> int:
    return 1_792


def _pixtral(size: ImageSize, _detail: str | None) -> int:
    """Count as Pixtral or as Mistral Small 3."""
    ways = ((1_024, 16), (1_540, 28))
    return max(_in_rows(_fit(size, side), patch) for side, patch in ways)


def _mistral(size: ImageSize, detail: str | None) -> int:
    """Count as a later one, of which it is not said what it scales to."""
    return max(_pixtral(size, detail), _in_rows(size, 28))


def _in_rows(size: ImageSize, patch: int) -> int:
    """Count squares in rows that each end with a token."""
    # It may be turned on its side, which its head does not say.
    return (-(-min(size) // patch) + 1) * -(-max(size) // patch)


def _qwen(size: ImageSize, _detail: str | None) -> int:
    return min(_squares(size, 28), 16_384) + 2


_BY_DATA: dict[ImageCount, _Tiles | _Patches | _Visual] = {
    ImageCount.IN_TILES: _USUAL,
    ImageCount.IN_DEAR_TILES: _Tiles(2_833, 5_667),
    ImageCount.IN_PATCHES: _Patches(246, _WHOLE, _WHOLE, _WHOLE, _WHOLE),
    ImageCount.GPT_4_1_MINI: _Patches(172, _LARGE, _LARGE, _LARGE, _LARGE),
    ImageCount.GPT_4_1_NANO: _Patches(246, _LARGE, _LARGE, _LARGE, _LARGE),
    ImageCount.GPT_5_2: _Patches(120, _LARGE, _LARGE, _LARGE, _LARGE),
    ImageCount.GPT_5_4: _Patches(120, _HIGH, _LARGE, _HIGH, _ORIGINAL),
    ImageCount.GPT_5_4_MINI: _Patches(246, _HIGH, _LARGE, _HIGH, _ORIGINAL),
    ImageCount.GPT_5_5: _Patches(120, _ORIGINAL, _SMALL, _HIGH, _ORIGINAL),
    ImageCount.GPT_5_6: _Patches(120, _WHOLE, _SMALL, _HIGH, _WHOLE),
    ImageCount.CLAUDE_3: _Visual(1_568, 1_640),
    ImageCount.CLAUDE_4_7: _Visual(2_576, 4_784),
}
_OF_IMAGES: Mapping[ImageCount, Callable[[ImageSize, str | None], int]] = {
    **{count: each.tokens for count, each in _BY_DATA.items()},
    ImageCount.GEMINI_2: _gemini_2,
    ImageCount.GEMINI_3: _gemini_3,
    ImageCount.GROK: _grok,
    ImageCount.MISTRAL: _mistral,
    ImageCount.PIXTRAL: _pixtral,
    ImageCount.QWEN: _qwen,
}
_OF_PAGES: Mapping[ImageCount, int] = {
    **{count: each.of_page for count, each in _BY_DATA.items()},
    ImageCount.GEMINI_2: _PAN_AND_SCAN_TOKENS,
    ImageCount.GEMINI_3: 1_120,
}
_DEAREST_PAGE = max(_OF_PAGES.values())


def usual_tokens(size: ImageSize, detail: object) -> int:
    """Return what LiteLLM counts for an image, about."""
    return _USUAL.tokens(size, _known(detail))


def bound_of_image(size: ImageSize, detail: object) -> MediaBound:
    """Return what an image is at most.

    Args:
        size: What it is by its head.
        detail: How closely the model should look, where the request says so.
    """
    return _bound_of_image(size, _known(detail))


@lru_cache(maxsize=256)  # of a series of screenshots all are of one size
def _bound_of_image(size: ImageSize, detail: str | None) -> MediaBound:
    # Where a provider reports no usage, LiteLLM's own count is what a call costs.
    least = _USUAL.tokens(size, detail)
    by_count = {count: max(least, of(size, detail)) for count, of in _OF_IMAGES.items()}
    unscaled = _squares(size, _TILE_SIDE) * _UNSCALED_TILE_TOKENS
    return MediaBound(max(unscaled, *by_count.values()), by_count)


def bound_of_pages(pages: int) -> MediaBound:
    """Return what the pictures of a document's pages are at most."""
    by_count = {count: pages * _OF_PAGES.get(count, _DEAREST_PAGE) for count in ImageCount}
    return MediaBound(pages * _DEAREST_PAGE, by_count)


def _known(detail: object) -> str | None:
    return detail if isinstance(detail, str | None) and detail in _DETAILS else ANY_DETAIL


def _tiles(size: ImageSize) -> int:
    """Return how many squares of 512 pixels an image is, once it is scaled."""
    longer, shorter = max(size), min(size)
    if longer <= _TILED_SHORT:
        return _squares(size, _TILE_SIDE)
    # Rounded up, as what is rounded down may be the other side.
    longer, shorter = (
        min(_TILED_LONG, -(-_TILED_SHORT * longer // shorter)),
        min(_TILED_SHORT, -(-_TILED_LONG * shorter // longer)),
    )
    return _squares(ImageSize(longer, shorter), _TILE_SIDE)


def _fit(size: ImageSize, side: int) -> ImageSize:
    """Return the size of an image that is scaled down to a longer side, rounded up."""
    longer = max(size)
    if longer <= side:
        return size
    return ImageSize(*(-(-each * side // longer) for each in size))


def _squares(size: ImageSize, side: int) -> int:
    return -(-size.width // side) * -(-size.height // side)
