"""The connections of a process, and who gives way when there are too many of them."""

from __future__ import annotations

import socket
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from adapters.flask_web.web.throttle import counted_address

SHARES = 8
"""In a process that is more than half full, an address gets one of so many shares of it."""

SPARE = 20
"""While less than one of so many places is free, connections on which nothing is under way end."""

_NOT_IDLE = ("", 0.0)


class Connections:
    """Counts connections, and knows on which of them nothing is under way.

    A connection costs nothing but its place, and there are only so many. So one that waits for its
    next request, or for the rest of a head, gives its place to one that has just come; clients open
    another one, as HTTP lets a server end a connection between two requests. And while more than
    half of the places are taken, an address that has its share gets more only in place of its own.
    """

    def __init__(self, most: int, *, shared_by_address: bool) -> None:
        """Count none yet.

        Args:
            most: How many the process takes.
            shared_by_address: Whether addresses have shares. Behind a proxy all come from there.
        """
        self._most = most
        self._share = max(1, most // SHARES)
        self._spare = max(1, most // SPARE)
        self._shared = shared_by_address
        self._taken = 0
        # By address, and since when; the longest idle first.
        self._idle: dict[Any, tuple[str, float]] = {}
        self._of_addresses: Counter[str] = Counter()
        self._seen_idle: set[Any] = set()

    def enter(self, client: Any, peer: Any) -> bool:
        """Count a connection that has just come; whether it may stay.

        Args:
            client: Its socket, one of gevent's.
            peer: The address of the other side, as the socket says it.
        """
        address = _address(peer) if self._shared else ""
        may_stay = True
        if address and 2 * self._taken >= self._most and self._of_addresses[address] >= self._share:
            may_stay = self._end_idle(address)
        elif self._taken >= self._most - self._spare:
            self._end_idle()
        self._taken += 1
        self._of_addresses[address] += 1
        if may_stay:
            self.idle(client, address)
        return may_stay

    def leave(self, client: Any, peer: Any) -> None:
        """Count a connection that has ended."""
        address = _address(peer) if self._shared else ""
        self._idle.pop(client, None)
        self._taken -= 1
        self._of_addresses[address] -= 1
        if not self._of_addresses[address]:
            del self._of_addresses[address]

    def busy(self, client: Any) -> str:
        """Note that a request is under way; return what ``idle`` takes."""
        return self._idle.pop(client, _NOT_IDLE)[0]

    def idle(self, client: Any, address: str) -> None:
        """Note that its answer has left."""
        self._idle[client] = (address, time.monotonic())

    def end_idle(self, longest_s: float) -> None:
        """Let go of all on which nothing has been under way for so long.

        Looked at now and then: a timer for each request would cost more than all else here.
        """
        latest = time.monotonic() - longest_s
        for client, (_, since) in self._idle.items():
            if since > latest:
                return
            _end(client)

    def end_all_idle(self) -> None:
        """Let go of all on which nothing has been under way since this was called before.

        The request of one that has just been accepted may still be on its way.
        """
        for client in self._seen_idle.intersection(self._idle):
            _end(client)
        self._seen_idle = set(self._idle)

    def _end_idle(self, address: str = "") -> bool:
        """End the one that has been idle longest, of an address if one is named; whether any."""
        for client, (its_address, _) in self._idle.items():
            if not address or its_address == address:
                del self._idle[client]
                _end(client)
                return True
        return False


def _end(client: Any) -> None:
    # The kernel's own: what has arrived by now is still read and answered, and then there is no
    # more. gevent's would throw at the greenlet that reads.
    with suppress(OSError):
        client._sock.shutdown(socket.SHUT_RD)  # noqa: SLF001


def _address(peer: Any) -> str:
    """Return what a peer is counted as; nothing for the other side of a socket file."""
    return counted_address(peer[0]) if isinstance(peer, tuple) else ""
