"""What some models are sold by besides tokens of text: images, characters, time, searches.

A model has one such unit at most, with a price of its own. Tokens that are an image or a
sound cost another price than those of text, so they are units here as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    """A thing that a model is sold by; its name is the bucket's on a receipt."""

    IMAGE = "image"
    """One image that the model made."""

    CHARACTER = "character"
    """One character (a Unicode code point) that the model spoke."""

    MILLISECOND = "millisecond"
    """One millisecond of sound that the model heard. Prices are listed by the second."""

    SEARCH = "search"
    """One query against up to 100 documents, as rerankers bill it."""

    IMAGE_TOKEN = "image_token"  # noqa: S105 - a token of a model
    """One output token that is part of an image."""

    AUDIO_TOKEN = "audio_token"  # noqa: S105 - a token of a model
    """One prompt token that is part of a sound."""


MODES = {
    Unit.IMAGE: "image_generation",
    Unit.IMAGE_TOKEN: "image_generation",
    Unit.CHARACTER: "audio_speech",
    Unit.MILLISECOND: "audio_transcription",
    Unit.AUDIO_TOKEN: "audio_transcription",
    Unit.SEARCH: "rerank",
}
"""What a model is for that is sold by a unit. Of any other model, LiteLLM counts no such units."""


TOKENS = frozenset({Unit.IMAGE_TOKEN, Unit.AUDIO_TOKEN})
"""Units that are tokens, and count as such where tokens are limited."""


class UnitPrice(NamedTuple):
    """What one unit costs the operator.

    Attributes:
        price_units: In units of 10^-30 USD.
    """

    unit: Unit
    price_units: int


class Extent(NamedTuple):
    """How many units a request may come to.

    Attributes:
        most: It can never be more.
        about: What it comes to where no answer tells.
    """

    most: int
    about: int
