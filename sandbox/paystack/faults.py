"""Faults of the API, ordered in advance for the next calls of one endpoint."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

ENDPOINTS = frozenset(
    {
        "initialize",
        "verify",
        "list",
        "fetch",
        "charge",
        "check_charge",
        "submit",
        "refund",
        "refunds",
        "disputes",
        "settlements",
        "charge_authorization",
        "deactivate",
    }
)

# An order for more calls than this is a typing error.
MAX_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call.

    Attributes:
        status: Answer with this HTTP status instead of the true answer.
        delay_s: Wait before answering.
        hang: Never answer; wait until the caller gives up.
        drop: Close the connection without an answer.
        after: Do the work first, so that the caller cannot know the outcome.
    """

    status: int | None = None
    delay_s: float = 0.0
    hang: bool = False
    drop: bool = False
    after: bool = False

    @classmethod
    def from_order(cls, order: Mapping[str, Any]) -> Self:
        """Read a fault from an order's JSON."""
        status = order.get("status")
        return cls(
            status=None if status is None else int(status),
            delay_s=float(order.get("delay_s", 0)),
            hang=bool(order.get("hang")),
            drop=bool(order.get("drop")),
            after=bool(order.get("after")),
        )


class Faults:
    """Faults waiting for their calls, first ordered, first served."""

    def __init__(self) -> None:
        """Start with a service in perfect health."""
        self._waiting: defaultdict[str, deque[Fault]] = defaultdict(lambda: deque(maxlen=MAX_CALLS))

    def order(self, endpoint: str, fault: Fault, times: int) -> None:
        """Let the next calls of an endpoint meet this fault."""
        self._waiting[endpoint].extend([fault] * min(times, MAX_CALLS))

    def take(self, endpoint: str) -> Fault | None:
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
