"""Notices when one greenlet keeps all the others of a process waiting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

MAX_STALL_S = 0.25
"""No request may keep the others waiting for longer."""

_LOOK_EVERY_S = 0.1

_log = logging.getLogger(__name__)


class StallDetector:
    """Looks ten times a second whether the event loop still turns.

    Processor time of the loop's own thread counts, and not the clock: on a busy machine the whole
    process waits, which is no greenlet's fault.

    Attributes:
        count: Stalls since the start.
        longest_s: Processor seconds of the longest one.
    """

    def __init__(self, doing: Callable[[], str], stalled: Callable[[], None]) -> None:
        """Prepare to look.

        Args:
            doing: Names the request that was begun last.
            stalled: Counts a stall.
        """
        self._doing = doing
        self._stalled = stalled
        self.count = 0
        self.longest_s = 0.0

    def watch(self) -> None:
        """Look again and again, in a greenlet of its own."""
        while True:
            began, worked = time.monotonic(), time.thread_time()
            gevent.sleep(_LOOK_EVERY_S)
            late_s = time.monotonic() - began - _LOOK_EVERY_S
            self._note(min(late_s, time.thread_time() - worked))

    def _note(self, stalled_s: float) -> None:
        if stalled_s <= MAX_STALL_S:
            return
        self.count += 1
        self._stalled()
        self.longest_s = max(self.longest_s, stalled_s)
        _log.warning(
            "the event loop stood still for %.0f ms; the latest request was %s",
            stalled_s * 1000,
            self._doing(),
        )
