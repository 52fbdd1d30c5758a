"""Ending a connection on which a client is still sending.

The kernel answers data that is never read with a reset, and a reset takes the refusal away that the
client has not read yet. So the sending side is closed first, and what still comes is thrown away
for a moment: without looking at it, and in turns with everything else.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from adapters.flask_web.web.turns import give_way

MAX_LINGER_S = 2.0
MAX_LINGER_BYTES = 64 * 1024 * 1024

_READ_BYTES = 256 * 1024
_READS_PER_TURN = 16


def linger(sock: Any) -> None:
    """Say that no more is coming, and let the client end its side; the caller closes.

    Args:
        sock: A connected socket of gevent's, whose timeout may be changed.
    """
    deadline = time.monotonic() + MAX_LINGER_S
    received = reads = 0
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while received < MAX_LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            data = sock.recv(_READ_BYTES)
            if not data:
                return
            received += len(data)
            reads += 1
            if reads % _READS_PER_TURN == 0:
                give_way()
