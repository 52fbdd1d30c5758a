"""Counts per minute, in this process alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from creditcore.domain.rates import MINUTE_US, Charge, Standing, cost_us, refused, standing
from creditcore.ports.clock import MonotonicClock

MAX_COUNTERS = 10_000
"""When there are more, those are forgotten that have all come back."""

_US_PER_S = 1_000_000


class ProcessCounters:
    """What limits per minute have left, as far as this process uses them.

    Each process lets the whole limit through: several of them need a shared count.
    """

    def __init__(self, *, clock: MonotonicClock) -> None:
        self._clock = clock
        self._arrivals: dict[str, int] = {}
        self._changing = threading.Lock()

    def take(self, charges: Sequence[Charge]) -> Sequence[Standing]:
        """Take from all of these limits, or from none."""
        with self._changing:
            now_us, known = self._now_us(), self._arrivals
            arrivals, standings = {}, []
            for charge in charges:
                arrival_us = max(known.get(charge.counter, 0), now_us)
                arrival_us += cost_us(charge.limit, charge.amount)
                if (wait := arrival_us - MINUTE_US - now_us) > 0:
                    raise refused(charge, wait_us=wait)
                arrivals[charge.counter] = arrival_us
                standings.append(standing(charge, arrival_us, now_us))
            self._forget(now_us)
            self._arrivals.update(arrivals)
            return standings

    def correct(self, charge: Charge, amount: int) -> None:
        """Take so much more of a limit than was charged; a negative amount gives back."""
        with self._changing:
            now_us = self._now_us()
            if charge.counter in self._arrivals or amount > 0:
                arrival_us = max(self._arrivals.get(charge.counter, 0), now_us)
                self._arrivals[charge.counter] = arrival_us + cost_us(charge.limit, amount)

    def _forget(self, now_us: int) -> None:
        if len(self._arrivals) > MAX_COUNTERS:
            self._arrivals = {
                name: arrival for name, arrival in self._arrivals.items() if arrival > now_us
            }

    def _now_us(self) -> int:
        return int(self._clock.monotonic() * _US_PER_S)
