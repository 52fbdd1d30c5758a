"""Notes when the event loop of a gateway's worker stood still.

Only the benchmark starts it, through ``bench/gunicorn_watched.py``.
"""

from __future__ import annotations

import time
from pathlib import Path

import gevent

STALLS_VARIABLE = "BENCH_STALLS"
_TICK_S = 0.005
_WORTH_A_NOTE_S = 0.010


def watch(notes: Path) -> None:
    """Wake up every few milliseconds, and write down each time that this came late.

    A line holds the moment, by the clock that all processes of the machine share, and
    how many seconds late it was.
    """
    with notes.open("a", buffering=1) as lines:
        while True:
            due = time.monotonic() + _TICK_S
            gevent.sleep(_TICK_S)
            now = time.monotonic()
            if now - due > _WORTH_A_NOTE_S:
                lines.write(f"{now:.6f} {now - due:.6f}\n")


def worst_stall_s(directory: Path, *, since: float, until: float) -> float:
    """Return the longest stall of any worker between two moments of ``time.monotonic``."""
    worst = 0.0
    for notes in directory.glob("*.stalls"):
        for line in notes.read_text().splitlines():
            moment, late = map(float, line.split())
            if since <= moment <= until:
                worst = max(worst, late)
    return worst
