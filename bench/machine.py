"""What a run was measured on, and what two processes could gain there at best."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass

_LOOP_S = 1.0
_LOOP = f"""
import time
steps, end = 0, time.perf_counter() + {_LOOP_S}
while time.perf_counter() < end:
    for _ in range(10_000):
        steps += 1
print(steps)
"""


@dataclass(frozen=True, slots=True)
class BusyLoops:
    """What this interpreter does on this machine when nothing holds it up.

    Cores are often shared, or halves of one: two processes that have nothing in common may
    then do much less than twice what one does. An interpreter that was built without its
    compiler's optimizations takes up to a half longer for everything.

    Attributes:
        steps_per_s: Of one loop that adds one.
        two_at_once: How much more two such processes do than one.
    """

    steps_per_s: float
    two_at_once: float

    def __str__(self) -> str:
        millions = self.steps_per_s / 1e6
        return f"{millions:.1f} million steps/s; two at once {self.two_at_once:.2f} x that"


def busy_loops() -> BusyLoops:
    """Measure one loop, then two at once. Takes some two seconds."""
    (one,) = _steps(1)
    return BusyLoops(one / _LOOP_S, sum(_steps(2)) / one)


def description() -> dict[str, object]:
    """Return what is known of the machine without measuring."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "Python": f"{platform.python_version()}, {os.path.realpath(sys.executable)}",
    }


def load_average() -> str:
    """Return how many processes wanted a core in the last 1, 5 and 15 minutes."""
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def _steps(loops: int) -> list[int]:
    running = [
        subprocess.Popen([sys.executable, "-c", _LOOP], stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(loops)
    ]
    return [int(loop.communicate()[0]) for loop in running]
