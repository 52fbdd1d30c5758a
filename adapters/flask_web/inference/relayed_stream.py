"""A stream on its way to its client."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.flask_web.web.turns import Turns
from creditcore.usecases.calls.relayed_call import RelayedCall


class RelayedStream:
    """A stream on its way to its client.

    The server writes each part before it asks for the next, and treats a client that stopped
    reading as one that has left: its call would stay open until the hold has expired, and it
    could read the rest for nothing.
    """

    def __init__(self, call: RelayedCall, turns: Turns) -> None:
        self._call = call
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        return self._turns.taken(self._call)

    def close(self) -> None:
        """End the call, also where the client has left."""
        self._call.close()
