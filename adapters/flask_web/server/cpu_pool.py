"""Processor work away from the event loop, a little at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent import get_hub
from gevent.threadpool import ThreadPool

from creditcore.domain.errors import OverloadedError
from creditcore.ports.metrics import PoolUse

MAX_WAITING = 20
"""Pieces of work that may wait; the last of them waits less than a second."""

_THREADS = 1

T = TypeVar("T")


def hub_threads() -> PoolUse:
    """Return how many of gevent's common threads work: they look up names, and open files."""
    threads = get_hub().threadpool
    taken = min(len(threads), threads.maxsize)
    waiting = len(threads) - taken
    return PoolUse(name="threads", taken=taken, size=threads.maxsize, waiting=waiting)


class CpuPool:
    """A thread of its own for one kind of work, with a short queue.

    gevent's common pool has ten threads: ten hashes at a time would take every core from the
    streams, and name lookups, which share that pool, would wait behind them.
    """

    def __init__(self, name: str, *, full: str) -> None:
        """Take what figures call it, and what to tell people while the queue is full."""
        self._name = name
        self._full = full
        self._pool = ThreadPool(_THREADS)
        self._admitted = 0

    def use(self) -> PoolUse:
        """Return how much work is under way and waits."""
        taken = min(self._admitted, _THREADS)
        waiting = self._admitted - taken
        return PoolUse(name=self._name, taken=taken, size=_THREADS, waiting=waiting)

    def __call__(self, work: Callable[[], T], /) -> T:
        """Run the work to its end, and let other greenlets run meanwhile.

        Raises:
            OverloadedError: Too much is waiting already.
        """
        if self._admitted >= _THREADS + MAX_WAITING:
            raise OverloadedError(self._full)
        self._admitted += 1
        try:
            result: T = self._pool.apply(work)
        finally:
            self._admitted -= 1
        return result
