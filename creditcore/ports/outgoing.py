"""What a call sends upstream, kept for as long as it may have to be sent again."""

from __future__ import annotations

LONG_BYTES = 256 * 1024
"""A longer body is sent once, on a connection of its own, and forgotten when it has left: a hundred
calls that wait with theirs would fill the memory of a process."""


class OutgoingBody:
    """The body of a request upstream.

    Attributes:
        data: Its bytes; empty once they are forgotten.
        length: How many they are, or were.
        is_long: Whether it is forgotten once it has left.
    """

    __slots__ = ("data", "is_long", "length")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.length = len(data)
        self.is_long = self.length > LONG_BYTES

    @property
    def is_forgotten(self) -> bool:
        """Whether it cannot be sent again."""
        return self.length > len(self.data)

    def forget(self) -> None:
        """Free its memory."""
        self.data = b""
