"""Faults that tests order in advance, whichever service they are of."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Generic, TypeVar

MAX_CALLS = 10_000
"""An order for more calls than this is a typing error."""

AnyFault = TypeVar("AnyFault")


class FaultQueue(Generic[AnyFault]):
    """Faults that wait for the next calls of an endpoint, first ordered, first served."""

    def __init__(self) -> None:
        """Start with a service in perfect health."""
        self._waiting: defaultdict[str, deque[AnyFault]] = defaultdict(
            lambda: deque(maxlen=MAX_CALLS)
        )

    def order(self, endpoint: str, fault: AnyFault, times: int) -> None:
        """Let the next calls of an endpoint meet this fault."""
        self._waiting[endpoint].extend([fault] * min(times, MAX_CALLS))

    def take(self, endpoint: str) -> AnyFault | None:
        """Return the fault that the present call meets, if any."""
        waiting = self._waiting[endpoint]
        return waiting.popleft() if waiting else None

    @property
    def any_waiting(self) -> bool:
        """Whether some next call will fail."""
        return any(self._waiting.values())

    def clear(self) -> None:
        """Forget every order."""
        self._waiting.clear()
