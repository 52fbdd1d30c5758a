"""How long a call waits for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call waits for what.

    Attributes:
        ping: Silence after which the client gets a comment, so that a client that
            has left is noticed: the second write after that fails.
        idle: Silence of the upstream after which it counts as broken.
        longest: The longest a call may take. Holds must live longer.
        drain: How long the upstream is read on after the client left, for its usage.
    """

    ping: timedelta = timedelta(seconds=4)
    idle: timedelta = timedelta(seconds=120)
    longest: timedelta = timedelta(seconds=600)
    drain: timedelta = timedelta(seconds=4)
