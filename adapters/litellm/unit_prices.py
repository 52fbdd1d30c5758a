"""What LiteLLM's price list says of models that are not sold by tokens of text alone.

How LiteLLM itself charges them (1.91.5, ``cost_calculator.py``): an image by
``input_cost_per_image`` or ``output_cost_per_image``, else by its tokens; speech by
``input_cost_per_character``; a transcription by its tokens where the answer counts any, else
by ``output_cost_per_second`` or ``input_cost_per_second``; a rerank by
``input_cost_per_query`` and the search units that the answer names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from creditcore.domain.money import div_ceil
from creditcore.domain.units import MODES as OF_UNITS
from creditcore.domain.units import Unit, UnitPrice

IMAGES = OF_UNITS[Unit.IMAGE]
SPEECH = OF_UNITS[Unit.CHARACTER]
TRANSCRIPTION = OF_UNITS[Unit.MILLISECOND]
RERANK = OF_UNITS[Unit.SEARCH]
MODERATION = "moderation"

MODES = frozenset({IMAGES, SPEECH, TRANSCRIPTION, RERANK, MODERATION})
"""What models of this kind are for."""

BY_UNIT_ALONE = frozenset({IMAGES, SPEECH})
"""Whose answers cannot be charged by tokens of text: without a unit they are not sold."""

PriceOf = Callable[[str], int | None]
"""The price of a name in the list, where it is known; a 0 only where the operator set it."""

_MILLISECONDS_PER_SECOND = 1_000
_AUDIO_TOKEN, _WRITTEN = "input_cost_per_audio_token", "output_cost_per_token"

_NAMES: Mapping[str, tuple[tuple[Unit, tuple[str, ...]], ...]] = {
    IMAGES: (
        (Unit.IMAGE_TOKEN, ("output_cost_per_image_token",)),
        # The first is the price of an image made as well, by its history in LiteLLM's map.
        (Unit.IMAGE, ("input_cost_per_image", "output_cost_per_image")),
    ),
    SPEECH: ((Unit.CHARACTER, ("input_cost_per_character",)),),
    TRANSCRIPTION: (
        (Unit.MILLISECOND, ("input_cost_per_second", "output_cost_per_second")),
        (Unit.AUDIO_TOKEN, (_AUDIO_TOKEN, "input_cost_per_token")),
    ),
    RERANK: ((Unit.SEARCH, ("input_cost_per_query",)),),
}
"""By what a model may be sold, the first that has a price; of several names the dearest."""


def unit_price(mode: str, price_of: PriceOf) -> UnitPrice | None:
    """Return what a model is sold by besides tokens of text; None where nothing is known.

    Args:
        mode: What the model is for.
        price_of: Reads a price of the model.
    """
    ways = _NAMES.get(mode, ())
    if mode == TRANSCRIPTION and None not in (price_of(_AUDIO_TOKEN), price_of(_WRITTEN)):
        # Since 1.110 the list has a price of a second beside those of tokens, for answers without
        # a count. OpenAI's models have one, and tell no times to charge by.
        ways = ways[::-1]
    for unit, names in ways:
        prices = [price for name in names if (price := price_of(name)) is not None]
        if not prices:
            continue
        price = max(prices)
        if unit is Unit.MILLISECOND:
            price = div_ceil(price, _MILLISECONDS_PER_SECOND)
        return UnitPrice(unit, price)
    return None


def dearest_unit(left: UnitPrice | None, right: UnitPrice | None) -> UnitPrice | None:
    """Return one price that covers two deployments of the same model.

    Raises:
        ValueError: They are sold by different things, so no price covers both.
    """
    if left is None or right is None:
        if left is right:
            return None
        raise ValueError("one is sold by tokens, the other is not")
    if left.unit is not right.unit:
        raise ValueError(f"sold by the {left.unit} and by the {right.unit}")
    return max(left, right, key=lambda price: price.price_units)
