"""Charts, computed on the server: where each mark stands, for templates that draw it as SVG.

The drawing is stretched to the width of its place, so only marks are in it; text stands
beside, at its own size. Every chart has a table of the same figures under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 200
_GAP = 0.22
_NICE = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart.

    Attributes:
        values: One for each slot; None where there is nothing to show.
    """

    name: str
    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Column:
    """What the pointer meets over one slot."""

    x: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Stacked bars.

    Attributes:
        bars: For each series the ``d`` of a path that is all of its bars.
        top: What the upper edge stands for, in the unit of the values.
    """

    bars: Sequence[str]
    columns: Sequence[Column]
    top: int


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines, each in parts: where there is no value it breaks off.

    Attributes:
        lines: For each series the ``d`` of its path.
    """

    lines: Sequence[str]
    columns: Sequence[Column]
    top: int


def nice(most: int) -> int:
    """Return a round number that is not below: the upper edge of a chart."""
    if most <= 0:
        return 1
    digits = len(str(most))
    if digits == 1:
        return most
    power = int("1" + "0" * (digits - 2))
    return next(step * power for step in _NICE if step * power >= most)


def bars(series: Sequence[Series], titles: Sequence[str]) -> BarChart:
    """Stack the series over each other, the first lowest."""
    totals = [sum(some.values[at] or 0 for some in series) for at in range(len(titles))]
    top = nice(max(totals, default=0))
    pitch = WIDTH / max(1, len(titles))
    width = _text(pitch * (1 - _GAP))
    lefts = [_text(at * pitch + pitch * _GAP / 2) for at in range(len(titles))]
    bases = [float(HEIGHT)] * len(titles)
    paths = []
    for some in series:
        path = []
        for at, value in enumerate(some.values):
            height = (value or 0) / top * HEIGHT
            if height:
                bases[at] -= height
                path.append(f"M{lefts[at]} {_text(bases[at])}h{width}v{_text(height)}h-{width}z")
        paths.append("".join(path))
    return BarChart(paths, _columns(titles, pitch), top)


def lines(series: Sequence[Series], titles: Sequence[str]) -> LineChart:
    """Draw a line for each series."""
    most = max((value for some in series for value in some.values if value is not None), default=0)
    top = nice(most)
    pitch = WIDTH / max(1, len(titles))
    paths = []
    for some in series:
        path, is_drawing = [], False
        for at, value in enumerate(some.values):
            if value is None:
                is_drawing = False
                continue
            x, y = _text((at + 0.5) * pitch), _text(HEIGHT - value / top * HEIGHT)
            # A point alone is a line of no length, which round ends make visible.
            path.append(f"L{x} {y}" if is_drawing else f"M{x} {y}h0")
            is_drawing = True
        paths.append("".join(path))
    return LineChart(paths, _columns(titles, pitch), top)


def _columns(titles: Sequence[str], pitch: float) -> list[Column]:
    width = _text(pitch)
    return [Column(_text(at * pitch), width, title) for at, title in enumerate(titles)]


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
