"""Greenlets take turns: one that never has to wait would keep all the others waiting."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import gevent
from gevent.lock import BoundedSemaphore

_MAX_TURN_S = 0.01
_BEFORE_SOCKETS = 2
"""libev's highest priority: with a lower one, a loop that is never idle would keep us waiting."""


def give_way() -> None:
    """Let the event loop turn once: sockets are looked at, and what is ready goes on first.

    gevent's sockets switch only when they would have to wait, so a peer that always has more to
    send keeps its greenlet running without an end.
    """
    gevent.idle(_BEFORE_SOCKETS)
    gevent.sleep(0)


class Turns:
    """Lets the event loop of a process turn, however much its streams have to say."""

    def __init__(self) -> None:
        self._turnstile = BoundedSemaphore(1)

    def taken(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield parts; after 10 ms without a turn of the loop, wait for the next one.

        An upstream that has sent everything, and a client that takes everything, never make
        us wait. The loop notes the time whenever it turns, so looking costs next to nothing.
        """
        loop = gevent.get_hub().loop
        turn = loop.now()
        for part in parts:
            yield part
            latest = loop.now()
            if latest != turn:
                turn = latest
            elif time.time() - turn > _MAX_TURN_S:
                # One by one: if all went on in the same turn, it would be a long one.
                with self._turnstile:
                    gevent.idle(_BEFORE_SOCKETS)
                # Only now does the next in line get the turnstile, and not we again.
                gevent.sleep(0)
                turn = loop.now()
