"""Spans of time as equal steps, by which a statement adds up rows of one stretch.

Joined with the spans, every row would be compared with every one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import gcd

from creditcore.domain.periods import Span

from ..instants import micros


class Steps:
    """Spans of whole hours, in order and without overlapping, each made of steps of one length."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._begins = [micros(span.since) for span in spans]
        self._ends = [micros(span.until) for span in spans]
        self._first, self._end = self._begins[0], self._ends[-1]
        self._length = gcd(*(edge - self._first for edge in (*self._begins, *self._ends)))

    def of(self, instant: str) -> str:
        """Return the number of an instant's step, in SQL; it is of microseconds since 1970."""
        return f"({instant} - {self._first:d}) / {self._length:d}"

    def around(self, instant: str) -> str:
        """Return the condition that an instant lies within the stretch, in SQL."""
        return f"{instant} >= {self._first:d} AND {instant} < {self._end:d}"

    def span_of(self, step: int) -> int | None:
        """Return the number of the span that a step lies in; None for one between two."""
        at = self._first + step * self._length
        span = bisect_right(self._begins, at) - 1
        return span if at < self._ends[span] else None
