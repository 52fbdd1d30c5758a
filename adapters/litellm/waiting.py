"""Waiting for a socket, again and again, each time for so long at most."""

from __future__ import annotations

import math
import time
from typing import Any

from gevent.hub import Waiter, get_hub

_READABLE = 1
"""What the socket is waited for, as gevent's loop numbers it."""

_READY, _TIME_IS_UP = True, False


class Wait:
    """Lets others work until one socket can be read. Belongs to the thread that made it.

    To start and stop a timer for each event of a stream costs more than to read it. So the
    timer runs on from one time to the next, and is set again only when it has gone off and
    a call waits that has time left.
    """

    def __init__(self, fileno: int) -> None:
        """Prepare to wait for the socket of this number, which must outlive this."""
        self._hub = get_hub()
        self._socket = self._hub.loop.io(fileno, _READABLE)
        self._timer: Any = None
        self._goes_off_at = math.inf
        self._waiter: Waiter[Any] | None = None
        self._deadline = math.inf

    def until(self, deadline: float) -> bool:
        """Wait until the socket is ready; whether it was by ``deadline``, in ``time.monotonic``."""
        self._deadline = deadline
        if deadline < self._goes_off_at:
            self._set_timer()
        waiter: Waiter[Any] = Waiter(self._hub)
        self._waiter = waiter
        self._socket.start(waiter.switch, _READY)
        try:
            return bool(waiter.get())
        finally:
            self._socket.stop()
            self._waiter = None

    def is_ours(self) -> bool:
        """Whether it was made by the thread that asks."""
        return self._hub is get_hub()

    def close(self) -> None:
        """Free what the loop keeps, before the socket is closed.

        The loop of another thread must not be touched: its timer goes off once more, and
        finds no call waiting.
        """
        if not self.is_ours():
            return
        self._socket.close()
        if self._timer is not None:
            self._timer.close()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.close()
        left_s = max(self._deadline - time.monotonic(), 0)
        self._timer = self._hub.loop.timer(left_s, ref=False)
        self._timer.start(self._go_off)
        self._goes_off_at = self._deadline

    def _go_off(self) -> None:
        """Run by the hub when the time is over that the timer was set for."""
        self._goes_off_at = math.inf
        if self._waiter is None:
            return
        if time.monotonic() < self._deadline:
            self._set_timer()
        else:
            self._waiter.switch(_TIME_IS_UP)
