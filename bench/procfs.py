"""What processes use, as the kernel counts it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_QUIET_CORES = 0.10
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    ticks: int


def cpu_seconds(roots: Collection[int]) -> float:
    """Return the CPU time of process trees so far, of children that have ended too."""
    return sum(process.ticks for process in _tree(roots)) / _TICKS_PER_S


def memory_bytes(roots: Collection[int]) -> int:
    """Return what process trees keep in memory; a page that n of them share counts 1/n each."""
    return sum(_proportional_bytes(process.pid) for process in _tree(roots))


def machine_busy_seconds() -> float:
    """Return the CPU time that anything on this machine used so far."""
    fields = [int(part) for part in (_PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / _TICKS_PER_S


def wait_until_quiet(roots: Collection[int], *, timeout_s: float) -> bool:
    """Wait until process trees have next to nothing left to do; whether they got there."""
    deadline = time.monotonic() + timeout_s
    before = cpu_seconds(roots)
    while time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
        now = cpu_seconds(roots)
        if now - before < _QUIET_CORES * _LOOK_EVERY_S:
            return True
        before = now
    return False


def _tree(roots: Collection[int]) -> list[_Process]:
    everything = [_process(int(path.name)) for path in _PROC.iterdir() if path.name.isdigit()]
    processes = [process for process in everything if process is not None]
    found = [process for process in processes if process.pid in roots]
    for parent in found:  # it grows while we walk: that is the walk down the tree
        found.extend(child for child in processes if child.parent == parent.pid)
    return list({process.pid: process for process in found}.values())


def _process(pid: int) -> _Process | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may contain spaces; what follows it does not.
    fields = text.rpartition(")")[2].split()
    return _Process(pid, int(fields[1]), sum(map(int, fields[11:15])))


def _proportional_bytes(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
