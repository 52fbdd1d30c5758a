"""Names that may be taken only so often within a while."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Claims(Protocol):
    """What must happen once, or a few times at most, on any number of hosts.

    A link that works once, a code that works once, five guesses in a quarter of an hour: where the
    service that is asked does not promise it, a claim is taken and committed before asking.
    """

    def take(self, name: str, *, now: datetime, until: datetime, places: int = 1) -> bool:
        """Take a place under a name; False where all of them are taken.

        Args:
            name: What is claimed. It is stored as it is: no secret, but the hash of one.
            now: Places whose time is over by then are free.
            until: When this place becomes free by itself.
            places: How many there are, the same each time.
        """

    def release(self, name: str) -> None:
        """Free all places under a name."""

    def forget(self, *, now: datetime, limit: int) -> int:
        """Delete places whose time is over; return how many, at most ``limit``."""
