"""How many streams one process carries at a time."""

from __future__ import annotations

from creditcore.domain.errors import OverloadedError
from creditcore.ports.inference import HeardWire, InferenceRequest

_FULL = "This server carries as many streams as it can. Try again in a moment."


class StreamPlaces:
    """As many places as there may be streams at a time."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self) -> None:
        """Take one.

        Raises:
            OverloadedError: None is free.
        """
        if self._free == 0:
            raise OverloadedError(_FULL)
        self._free -= 1

    def give_back(self) -> None:
        """Free one."""
        self._free += 1


class SeatedWire:
    """The wire of one call, which takes a place when the call turns out to be a stream.

    A request is understood before anything is held for it, so a stream that finds no place
    costs nothing.
    """

    def __init__(self, wire: HeardWire, places: StreamPlaces) -> None:
        self._wire = wire
        self._places = places
        self._seated = False
        self.endpoint = wire.endpoint
        self.modes = wire.modes
        self.limit_field = wire.limit_field
        self.upstream_headers = wire.upstream_headers
        self.upstream_body = wire.upstream_body
        self.meter = wire.meter
        self.error_event = wire.error_event

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served.
            OverloadedError: It asks for a stream, and there is no place for one.
        """
        request = self._wire.parse(body)
        if request.stream:
            self._places.take()
            self._seated = True
        return request

    def leave(self) -> None:
        """Give the place back if there is one; more than once is fine."""
        if self._seated:
            self._seated = False
            self._places.give_back()
