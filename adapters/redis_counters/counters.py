"""Requests and tokens per minute in Redis, one script for all limits of a call.

The script runs alone on the server and by the server's clock, so that hosts need not agree
on the time. Where Redis does not answer, calls are counted in the process instead: a call is
never refused, or let through without bound, because of Redis.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from limits.storage import storage_from_string
from redis.exceptions import RedisError

from creditcore.domain.rates import MINUTE_US, Charge, Standing, cost_us, refused, standing
from creditcore.ports.rate_counters import RateCounters

TIMEOUT_S = 0.25
"""How long a call waits for Redis: it would be quicker without."""

PAUSE_S = 5.0
"""How long Redis is left alone after it has not answered."""

# Instants are microseconds; below 2^53, so that Lua's numbers hold them exactly.
_TAKE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrivals = {{}}
for i, key in ipairs(KEYS) do
  local arrival = math.max(tonumber(redis.call('GET', key) or '0'), now)
  local wait = arrival + ARGV[i] - {MINUTE_US} - now
  if wait > 0 then return {{i, wait}} end
  arrivals[i] = arrival + ARGV[i]
end
for i, key in ipairs(KEYS) do
  local left_ms = math.ceil((arrivals[i] - now) / 1000)
  redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', left_ms + 1)
end
return {{0, now, unpack(arrivals)}}
"""
# What has come back by itself is not given back again: its key has expired.
_CORRECT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = tonumber(redis.call('GET', KEYS[1]) or '0')
if arrival == 0 and tonumber(ARGV[1]) < 0 then return 0 end
arrival = math.max(arrival, now) + ARGV[1]
if arrival <= now then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], string.format('%.0f', arrival),
           'PX', math.ceil((arrival - now) / 1000) + 1)
return 1
"""

_log = logging.getLogger(__name__)


class RedisCounters:
    """What limits per minute have left, shared by all that use one Redis.

    Args:
        url: Of the kinds that ``REDIS_URL`` takes.
        fallback: Counts while Redis does not answer.
        alert: Called when that begins; not again before Redis has answered.
    """

    def __init__(
        self, url: str, *, fallback: RateCounters, alert: Callable[[], None] = lambda: None
    ) -> None:
        storage: Any = storage_from_string(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        )
        client = storage.get_connection()
        self._take = client.register_script(_TAKE)
        self._correct = client.register_script(_CORRECT)
        self._fallback = fallback
        self._alert = alert
        self._ask_after = 0.0
        self._is_down = False
        self._changing = threading.Lock()

    def take(self, charges: Sequence[Charge]) -> Sequence[Standing]:
        """Take from all of these limits, or from none."""
        answer = self._ask(
            self._take,
            [_key(charge) for charge in charges],
            [cost_us(charge.limit, charge.amount) for charge in charges],
        )
        if answer is None:
            return self._fallback.take(charges)
        if number := int(answer[0]):
            raise refused(charges[number - 1], wait_us=int(answer[1]))
        now_us = int(answer[1])
        return [
            standing(charge, arrival_us=int(arrival), now_us=now_us)
            for charge, arrival in zip(charges, answer[2:], strict=True)
        ]

    def correct(self, charge: Charge, amount: int) -> None:
        """Take so much more of a limit than was charged; a negative amount gives back."""
        cost = cost_us(charge.limit, amount)
        if self._ask(self._correct, [_key(charge)], [cost]) is None:
            self._fallback.correct(charge, amount)

    def _ask(self, script: Any, keys: list[str], values: list[int]) -> Any:
        """Return the answer of a script, or None where Redis gives none."""
        if time.monotonic() < self._ask_after:
            return None
        try:
            answer = script(keys=keys, args=values)
        except (RedisError, OSError):
            self._note_silence()
            return None
        self._is_down = False
        return answer

    def _note_silence(self) -> None:
        with self._changing:
            self._ask_after = time.monotonic() + PAUSE_S
            was_down, self._is_down = self._is_down, True
        if not was_down:
            _log.exception("Redis does not answer; limits per minute count in this process")
            self._alert()


def _key(charge: Charge) -> str:
    # In a cluster, what stands in braces decides on which server a key is: one script needs one.
    owner, _, unit = charge.counter.partition(":")
    return f"creditcore:rate:{{{owner}}}:{unit}"
