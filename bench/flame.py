"""A flame graph of the hot path, and the functions that it spends its time in."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from xml.sax.saxutils import escape

from bench.calls import CallsBench
from bench.children import Children
from bench.installs import Installs, MissingError, say
from bench.place import REPOSITORY
from bench.targets import Target

FLAME_GRAPH = REPOSITORY / "docs" / "images" / "hot-path.svg"
CONCURRENCY = 32
_SAMPLES_PER_S = 250
_TOP = 40

# Threads that wait for work, and the loop that waits for sockets: the profiler cannot tell
# that they are idle.
_IDLE_THREAD = "gevent/threadpool.py"
_IDLE_LOOP = "Hub.run (gevent/hub.py)"

_WIDTH, _ROW, _LETTER = 1200, 16, 6.2
_NARROWEST = 0.002
_SHORTEST_LABEL = 4


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the busy time of a worker goes.

    Attributes:
        stacks: Samples by stack, the outermost function first.
    """

    stacks: Mapping[tuple[str, ...], int]

    @classmethod
    def read(cls, samples: Path) -> Self:
        """Read what the profiler wrote: a line for each stack, with its count at the end."""
        stacks: Counter[tuple[str, ...]] = Counter()
        for line in samples.read_text().splitlines():
            path, _, count = line.rpartition(" ")
            # A line number for each sample would split a function in many.
            stack = tuple(re.sub(r":\d+\)$", ")", frame) for frame in path.split(";"))
            if not any(_IDLE_THREAD in frame for frame in stack) and stack[-1] != _IDLE_LOOP:
                stacks[stack] += int(count)
        return cls(stacks)

    @property
    def total(self) -> int:
        """All samples."""
        return sum(self.stacks.values())

    def own(self) -> list[tuple[str, float]]:
        """Return the shares of time in each function itself, the largest first."""
        return self._shares(lambda stack: stack[-1:])

    def whole(self) -> list[tuple[str, float]]:
        """Return the shares of time in each function and all that it calls."""
        return self._shares(set)

    def _shares(
        self, counted: Callable[[tuple[str, ...]], Iterable[str]]
    ) -> list[tuple[str, float]]:
        found: Counter[str] = Counter()
        for stack, count in self.stacks.items():
            for frame in counted(stack):
                found[frame] += count
        return [(frame, count / self.total) for frame, count in found.most_common(_TOP)]


def record(
    target: Target, bench: CallsBench, installs: Installs, children: Children, *, seconds: int
) -> Profile:
    """Sample a gateway under load; write its flame graph.

    Raises:
        MissingError: The profiler cannot be had, or may not look at our own process.
    """
    samples = bench.place.run / "stacks.txt"
    bench.load(target, CONCURRENCY, 2)
    say(f"profiling {target.name} at {CONCURRENCY}")
    spy = children.start(
        "py-spy",
        [
            *(installs.py_spy(), "record", "--pid", str(_first_child(target.pids[0]))),
            *("--duration", str(seconds), "--rate", str(_SAMPLES_PER_S)),
            *("--format", "raw", "--output", samples),
        ],
    )
    bench.load(target, CONCURRENCY, seconds + 1)
    try:
        spy.wait(30)
    except subprocess.TimeoutExpired:
        children.stop(spy)
    if not samples.exists():
        raise MissingError("py-spy may not look here; logs/py-spy.log says why")
    profile = Profile.read(samples)
    FLAME_GRAPH.parent.mkdir(parents=True, exist_ok=True)
    FLAME_GRAPH.write_text(drawn(profile))
    return profile


@dataclass
class _Block:
    """A function as called from one place."""

    name: str
    samples: int = 0
    callees: dict[str, _Block] = field(default_factory=dict)


def drawn(profile: Profile) -> str:
    """Return the flame graph as SVG: width is time, each row is called by the one above it.

    What is too narrow to be seen is left out, which keeps the file small.
    """
    root = _Block(f"all: {profile.total} samples", profile.total)
    for stack, count in profile.stacks.items():
        block = root
        for frame in stack:
            block = block.callees.setdefault(frame, _Block(frame))
            block.samples += count
    rectangles = list(_rectangles(root, x=0.0, depth=0, total=max(1, profile.total)))
    height = (1 + max(depth for depth, _ in rectangles)) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="monospace" font-size="10">\n'
        "<style>rect{fill:#f6b26b;stroke:#fff;stroke-width:.5}text{pointer-events:none}</style>\n"
        + "\n".join(rectangle for _, rectangle in rectangles)
        + "\n</svg>\n"
    )


def _rectangles(block: _Block, *, x: float, depth: int, total: int) -> Iterator[tuple[int, str]]:
    width = block.samples / total * _WIDTH
    title = escape(f"{block.name}, {block.samples / total * 100:.1f} %")
    fits = int(width / _LETTER)
    shown = f"{block.name[: fits - 1]}…" if len(block.name) > fits else block.name
    label = f'<text x="{x + 2:.1f}" y="{depth * _ROW + 11}">{escape(shown)}</text>'
    drawing = (
        f'<g><title>{title}</title><rect x="{x:.1f}" y="{depth * _ROW}" width="{width:.1f}"'
        f' height="{_ROW}"/>{label if fits >= _SHORTEST_LABEL else ""}</g>'
    )
    yield depth, drawing
    for callee in sorted(block.callees.values(), key=lambda one: -one.samples):
        if callee.samples / total >= _NARROWEST:
            yield from _rectangles(callee, x=x, depth=depth + 1, total=total)
        x += callee.samples / total * _WIDTH


def _first_child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])
