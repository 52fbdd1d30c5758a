"""Requests and tokens per minute, by the generic cell rate algorithm (GCRA).

A limit of N a minute lets N through at once, and then one every 60/N seconds. All that is
kept of it is one instant, at which everything will have come back: its "theoretical arrival
time". https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from creditcore.domain.errors import LimitReachedError
from creditcore.domain.limits import Whose

MINUTE_US = 60_000_000
"""A minute in microseconds, in which everything here is counted."""


class Charge(NamedTuple):
    """What one call takes of one limit.

    Attributes:
        counter: Names the count; each unit of a key has its own.
        unit: ``requests`` or ``tokens``.
        limit: How many of them there are a minute.
        amount: How many the call takes; never more than the limit, or it could never run.
        whose: Whether the limit is that of a key or of its account.
    """

    counter: str
    unit: str
    limit: int
    amount: int
    whose: Whose = Whose.KEY


class Standing(NamedTuple):
    """How a limit stands after a call was let through.

    Attributes:
        unit: ``requests`` or ``tokens``.
        limit: How many of them there are a minute.
        remaining: How many are left now.
        reset_us: Microseconds until all of them are there again.
        whose: Whether the limit is that of a key or of its account.
    """

    unit: str
    limit: int
    remaining: int
    reset_us: int
    whose: Whose = Whose.KEY


def cost_us(limit: int, amount: int) -> int:
    """Return how long so much takes to come back; negative for what is given back."""
    return -(-amount * MINUTE_US // limit)


def standing(charge: Charge, arrival_us: int, now_us: int) -> Standing:
    """Return how a limit stands."""
    _, unit, limit, _, whose = charge
    reset_us = max(0, arrival_us - now_us)
    remaining = max(0, MINUTE_US - reset_us) * limit // MINUTE_US
    return Standing(unit, limit, remaining, reset_us, whose)


def refused(charge: Charge, *, wait_us: int) -> LimitReachedError:
    """Return the refusal of a charge that has to wait so long; nothing is taken."""
    left = MINUTE_US - cost_us(charge.limit, charge.amount)
    now = standing(charge, arrival_us=left + wait_us, now_us=0)
    return LimitReachedError(
        limit=charge.unit,
        most=charge.limit,
        retry_after_us=wait_us,
        whose=charge.whose,
        remaining=now.remaining,
        reset_us=now.reset_us,
    )


def standings_at(refusal: LimitReachedError) -> list[Standing]:
    """Return how the limit per minute stands that refused a call; nothing for other limits."""
    if not refusal.reset_us:
        return []
    whose = Whose(refusal.whose)
    return [Standing(refusal.limit, refusal.most, refusal.remaining, refusal.reset_us, whose)]


def tightest(standings: Sequence[Standing]) -> list[Standing]:
    """Return of each unit the limit that has the least left, in the order of the units."""
    found: dict[str, Standing] = {}
    for each in standings:
        if each.unit not in found or each.remaining < found[each.unit].remaining:
            found[each.unit] = each
    return list(found.values())
