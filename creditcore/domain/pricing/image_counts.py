"""How models count an image."""

from __future__ import annotations

from enum import StrEnum


class ImageCount(StrEnum):
    """A way of counting, named after the first model of it: a feature of a price.

    Where several models are behind one name, each of theirs may be how.
    """

    IN_TILES = "images_in_tiles"
    """OpenAI up to gpt-4.1 and gpt-5.1: squares of 512 pixels, and none of them in low detail."""

    IN_DEAR_TILES = "images_in_dear_tiles"
    """gpt-4o-mini: the same, at 33 times as many tokens."""

    IN_PATCHES = "images_in_patches"
    """A later one of OpenAI of which nothing more is said: squares of 32 pixels."""

    GPT_4_1_MINI = "images_as_gpt_4_1_mini"
    GPT_4_1_NANO = "images_as_gpt_4_1_nano"
    GPT_5_2 = "images_as_gpt_5_2"
    GPT_5_4 = "images_as_gpt_5_4"
    GPT_5_4_MINI = "images_as_gpt_5_4_mini"
    GPT_5_5 = "images_as_gpt_5_5"
    GPT_5_6 = "images_as_gpt_5_6"
    CLAUDE_3 = "images_as_claude_3"
    CLAUDE_4_7 = "images_as_claude_4_7"
    GEMINI_2 = "images_as_gemini_2"
    GEMINI_3 = "images_as_gemini_3"
    GROK = "images_as_grok"
    MISTRAL = "images_as_mistral"
    PIXTRAL = "images_as_pixtral"
    QWEN = "images_as_qwen"


IMAGE_COUNTS = frozenset(ImageCount)
