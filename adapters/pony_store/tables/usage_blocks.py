"""``usage_blocks``: the hours of ``usage_hourly`` added up to three, to six and to days.

A page of half a year of days reads a few rows of blocks for each, and hours only where a day
of its zone begins or ends within a block: so any zone is served by blocks that are cut in UTC.
``usage_wallet_blocks`` has the histograms added up over keys and models as well.

Blocks are written in the transaction that writes their hours, so that they are their sum at
any time; an hour that is counted again is followed by its blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from creditcore.domain.money import div_ceil, div_floor
from creditcore.domain.periods import Span

from ..instants import micros
from .usage_figures import HOUR_MICROS

LENGTHS = (24, 6, 3)
"""Of blocks, in hours, the longest first; each is a multiple of the next.

A day that begins with a whole hour of UTC is five to seven rows: in Nairobi it is five.
"""

SINGLE = 1
"""The length of what is no block: an hour."""

Piece = tuple[int, int, int]
"""The number of a span, how many hours a row of it is long, and when that begins."""


def block_of(hour: int, length: int) -> int:
    """Return when the block begins that an hour is in; both in microseconds since 1970."""
    micros_long = length * HOUR_MICROS
    return div_floor(hour, micros_long) * micros_long


def span_marks(spans: Sequence[Span]) -> list[tuple[object, ...]]:
    """Return the number, beginning and end of each span, as a statement joins them."""
    return [(number, micros(span.since), micros(span.until)) for number, span in enumerate(spans)]


def pieces(spans: Sequence[Span], *, within: tuple[int, int]) -> list[Piece]:
    """Cover spans, which begin and end on whole hours, with as few rows as there may be.

    Args:
        spans: From when to when.
        within: From and until when there are rows at all, in microseconds since 1970.
    """
    first, last = within
    return [
        (number, *piece)
        for number, span in enumerate(spans)
        for piece in _cover(
            max(micros(span.since), first), min(micros(span.until), last), (*LENGTHS, SINGLE)
        )
    ]


def _cover(since: int, until: int, lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    if since >= until:
        return
    length, *shorter = lengths
    micros_long = length * HOUR_MICROS
    first, last = div_ceil(since, micros_long) * micros_long, block_of(until, length)
    if length == SINGLE or first < last:
        yield from ((length, begins) for begins in range(first, last, micros_long))
    else:
        first = last = until
    if shorter:
        yield from _cover(since, first, shorter)
        yield from _cover(last, until, shorter)
