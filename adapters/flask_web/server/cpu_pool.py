"""Processor work away from the event loop, a little at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent.threadpool import ThreadPool

from creditcore.domain.errors import OverloadedError

MAX_WAITING = 20
"""Pieces of work that may wait; the last of them waits less than a second."""

_THREADS = 1

T = TypeVar("T")


class CpuPool:
    """A thread of its own for one kind of work, with a short queue.

    gevent's common pool has ten threads: ten hashes at a time would take every core from the
    streams, and name lookups, which share that pool, would wait behind them.
    """

    def __init__(self, *, full: str) -> None:
        """Take what to tell people while the queue is full, in a sentence or two."""
        self._full = full
        self._pool = ThreadPool(_THREADS)
        self._admitted = 0

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
