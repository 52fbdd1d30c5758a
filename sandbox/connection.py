"""The caller's connection: dropping it, and noticing that the caller dropped it."""

from __future__ import annotations

import errno
import select
import socket
import time
from dataclasses import dataclass
from typing import Self
from wsgiref.types import WSGIEnvironment

SOCKET_KEY = "sandbox.socket"

# How often to look again when unread bytes of a next request hide a possible end of the connection.
RECHECK_S = 0.25


class ConnectionDropped(ConnectionResetError):  # noqa: N818 - an order carried out, not an error
    """Raised to end the connection without finishing the answer.

    The server takes a reset connection for the caller's doing: it closes the socket, logs nothing.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "dropped on purpose")


@dataclass(frozen=True, slots=True)
class Connection:
    """One caller's socket, while its request is being answered."""

    socket: socket.socket

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Self:
        """Return the connection that a request came in on."""
        return cls(environ[SOCKET_KEY])

    def closes_within(self, seconds: float) -> bool:
        """Wait, and tell at once when the caller closes the connection."""
        deadline = time.monotonic() + seconds
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self.socket], [], [], remaining)
            if not readable:
                return False
            if self._at_end():
                return True
            time.sleep(min(remaining, RECHECK_S))

    def wait_until_closed(self) -> None:
        """Stay silent until the caller gives up."""
        # An hour is for ever to a caller, yet frees the greenlet of one that vanished silently.
        self.closes_within(3600)

    def _at_end(self) -> bool:
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
