"""Requests and tokens per minute, by the generic cell rate algorithm (GCRA).

A limit of N a minute lets N through at once, and then one every 60/N seconds. All that is
kept of it is one instant, at which everything will have come back: its "theoretical arrival
time". https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from creditcore.domain.money import div_ceil, div_floor

MINUTE_US = 60_000_000
"""A minute in microseconds, in which everything here is counted."""


class Charge(NamedTuple):
    """What one call takes of one limit.

    Attributes:
        counter: Names the count; each unit of a key has its own.
        unit: ``requests`` or ``tokens``.
        limit: How many of them there are a minute.
        amount: How many the call takes; never more than the limit, or it could never run.
    """

    counter: str
    unit: str
    limit: int
    amount: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after a call was let through.

    Attributes:
        unit: ``requests`` or ``tokens``.
        limit: How many of them there are a minute.
        remaining: How many are left now.
        reset_us: Microseconds until all of them are there again.
    """

    unit: str
    limit: int
    remaining: int
    reset_us: int


def cost_us(limit: int, amount: int) -> int:
    """Return how long so much takes to come back; negative for what is given back."""
    return div_ceil(amount * MINUTE_US, limit)


def wait_us(arrival_us: int, charge: Charge, *, now_us: int) -> int:
    """Return how long the charge has to wait; zero or less if there is enough left."""
    return max(arrival_us, now_us) + cost_us(charge.limit, charge.amount) - MINUTE_US - now_us


def standing(charge: Charge, *, arrival_us: int, now_us: int) -> Standing:
    """Return how a limit stands."""
    reset_us = max(0, arrival_us - now_us)
    remaining = div_floor(max(0, MINUTE_US - reset_us) * charge.limit, MINUTE_US)
    return Standing(charge.unit, charge.limit, remaining, reset_us)
