"""Faults of the API, ordered in advance for the next calls of one endpoint."""

from __future__ import annotations

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
