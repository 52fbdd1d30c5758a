"""How far the pools of this process are taken, kept every few seconds, as another may be asked.

A scrape is answered by one process of many, so that each keeps its own figures.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from creditcore.ports.metrics import Measure, Metrics

_EVERY_S = 2.0


def watch_pools(pools: Sequence[Measure], metrics: Metrics, stop: threading.Event) -> None:
    """Keep them until told to stop, and once more then."""
    while True:
        is_over = stop.is_set()
        metrics.pools(measure() for measure in pools)
        if is_over:
            return
        stop.wait(_EVERY_S)
