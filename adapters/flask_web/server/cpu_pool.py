"""Processor work away from the event loop, a little at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent.threadpool import ThreadPool

from creditcore.domain.errors import OverloadedError

MAX_WAITING = 20
"""Password hashes that may wait; the last of them waits less than a second."""

_THREADS = 1
_FULL = "Too many people are signing in right now. Try again in a moment."

T = TypeVar("T")


class CpuPool:
    """A thread of its own for password hashes, with a short queue.

    gevent's common pool has ten threads: ten hashes at a time would take every core from the
    streams, and name lookups, which share that pool, would wait behind them.
    """

    def __init__(self) -> None:
        self._pool = ThreadPool(_THREADS)
        self._admitted = 0

    def __call__(self, work: Callable[[], T], /) -> T:
        """Run the work to its end, and let other greenlets run meanwhile.

        Raises:
            OverloadedError: Too much is waiting already.
        """
        if self._admitted >= _THREADS + MAX_WAITING:
            raise OverloadedError(_FULL)
        self._admitted += 1
        try:
            result: T = self._pool.apply(work)
        finally:
            self._admitted -= 1
        return result
