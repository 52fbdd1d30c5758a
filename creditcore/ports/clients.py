"""The client of a call, as far as the call has to know about it."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """Waits for the answer of a call."""

    def has_left(self) -> bool:
        """Whether it has gone, so that nothing sent to it would arrive.

        Asked now and then while the model server is silent; it must not wait.
        """

    def request_sent(self) -> None:
        """Hear that its request, a long one, has gone upstream, and that nothing keeps it."""


class UnseenClient:
    """A client that nothing is known about: it stays to the end."""

    def has_left(self) -> bool:
        """Say no."""
        return False

    def request_sent(self) -> None:
        """No count is kept of what it sent."""


UNSEEN = UnseenClient()
