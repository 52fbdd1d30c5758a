"""What a call is the sum of, in words: tokens of each kind, and what models are sold by besides."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask

from adapters.flask_web.web.formatting import duration, provider_dollars, token_count
from creditcore.domain.counting import Because
from creditcore.domain.money import div_ceil
from creditcore.domain.pricing import PricedTokens, price_units
from creditcore.domain.units import Unit, UnitPrice

_NO_BREAK = "\u00a0"
_MILLION = 1_000_000
_BUCKETS = {
    "input": "Input",
    "cache_read": "Input, read from cache",
    "cache_write": "Input, written to cache",
    "cache_write_1h": "Input, written to cache for an hour or longer",
    "output": "Output",
    "reasoning": "Output, reasoning",
    Unit.IMAGE: "Images",
    Unit.CHARACTER: "Characters spoken",
    Unit.MILLISECOND: "Sound heard",
    Unit.SEARCH: "Searches",
    Unit.IMAGE_TOKEN: "Images, by their tokens",
    Unit.AUDIO_TOKEN: "Sound, by its tokens",
}


class Sale(NamedTuple):
    """By how many of a unit prices are read.

    Attributes:
        units: How many.
        words: What they are called, behind a price: ``"$0.04 per image"``.
        short: The same on a receipt, behind a slash.
    """

    units: int
    words: str
    short: str


SALES = {
    Unit.IMAGE: Sale(1, "image", "image"),
    Unit.CHARACTER: Sale(_MILLION, "million characters", "1M"),
    Unit.MILLISECOND: Sale(60_000, "minute of sound", "min"),
    Unit.SEARCH: Sale(1_000, "thousand searches", "1K"),
    Unit.IMAGE_TOKEN: Sale(_MILLION, "million tokens of images", "1M"),
    Unit.AUDIO_TOKEN: Sale(_MILLION, "million tokens of sound", "1M"),
}
OWN_PRICES = {
    "image": Unit.IMAGE,
    "characters": Unit.CHARACTER,
    "minute": Unit.MILLISECOND,
    "searches": Unit.SEARCH,
}
"""By what operators may price models, besides tokens; ``SALES`` says for how many of each."""


def own_unit_price(word: str, usd: str) -> UnitPrice:
    """Return a price that an operator wrote, as prices of its unit are read.

    Args:
        word: A key of ``OWN_PRICES``.
        usd: US dollars, such as ``0.04`` for an image or ``15`` for a million characters.

    Raises:
        ValueError: They are no price.
    """
    unit = OWN_PRICES[word]
    return UnitPrice(unit, div_ceil(price_units(usd), SALES[unit].units))


_ONE_AND_MANY = {
    Unit.IMAGE: ("image", "images"),
    Unit.CHARACTER: ("character", "characters"),
    Unit.SEARCH: ("search", "searches"),
}


_PURPOSES = {
    "audio_speech": "speech",
    "audio_transcription": "transcription",
    "embedding": "embeddings",
    "image_generation": "images",
    "rerank": "reranking",
}


def purpose(mode: str) -> str:
    """Say what a model is for; what the price list calls by a plain word keeps it."""
    return _PURPOSES.get(mode, mode)


_BECAUSE = {
    Because.NOT_REPORTED: "the provider reported none",
    Because.CLIENT_LEFT: "you left before a report",
    Because.CUT_OFF: "the answer ended before a report",
    Because.FELL_BEHIND: "the report counts less than the text",
    Because.INCREDIBLE: "the report cannot be true",
}


def counted_because(why: Because) -> str:
    """Say why a count is ours, behind a colon."""
    return _BECAUSE[why]


def bucket(name: str) -> str:
    """Name the kind of tokens or units that a line of a receipt is about."""
    return _BUCKETS[name]


def unit_cost(price: UnitPrice) -> str:
    """Return what a provider takes for units, as prices are read: ``"$0.04 per image"``."""
    sale = SALES[price.unit]
    return f"{provider_dollars(price.price_units * sale.units)} per {sale.words}"


def line_amount(line: PricedTokens) -> str:
    """Return how much a line is of, and at what price: ``"1,234 tokens at $0.15 / 1M"``."""
    unit = Unit(line.bucket) if line.bucket in SALES else None
    sale = SALES[unit] if unit else Sale(_MILLION, "", "1M")
    price = provider_dollars(line.price_units * sale.units)
    return f"{_counted(unit, line.tokens)} at {price} / {sale.short}"


def _counted(unit: Unit | None, count: int) -> str:
    if unit is Unit.MILLISECOND:
        return duration(count)
    if unit in _ONE_AND_MANY:
        return f"{count:,}{_NO_BREAK}{_ONE_AND_MANY[unit][count != 1]}"
    return token_count(count)


def register(app: Flask) -> None:
    """Make the filters known to every template."""
    app.jinja_env.filters.update(
        bucket=bucket,
        purpose=purpose,
        unit_cost=unit_cost,
        line_amount=line_amount,
        counted_because=counted_because,
    )
