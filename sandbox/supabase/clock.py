"""The stand-in's own time, which can be moved ahead."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Tells the time in seconds."""

    def __init__(self) -> None:
        """Begin with the time of the machine."""
        self.ahead_s = 0.0

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.ahead_s


def stamp(seconds: float) -> str:
    """Return an instant as the real server writes it: up to nine digits, zeros dropped."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0")
    return f"{text.rstrip('.')}Z"
