"""What limits of keys cost a call: those that have none, and those that have all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from creditcore import ApiKey, Credits, SystemClock
from creditcore.domain.limits import KeyLimits, SpendLimit
from creditcore.ports.inference import InferenceRequest
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.process_counters import ProcessCounters

_TIMES = 500
_ROUNDS = 9
_MANY = 50_000_000

ALL_LIMITS = KeyLimits(
    spend=SpendLimit(credits=Credits.of(900_000_000)),
    max_parallel=100_000,
    rpm=_MANY,
    tpm=_MANY,
    models=("*",),
    addresses=("127.0.0.0/8", "::1/128"),
)
"""Every limit that a key, and its account, can have, none of which a benchmark reaches."""


@dataclass(frozen=True, slots=True)
class LimitsCost:
    """CPU that one call spends on limits, in microseconds, without the database.

    Attributes:
        plain_us: With a key that has none, whose account has none.
        limited_us: With a key that has all, whose account has all.
    """

    plain_us: float
    limited_us: float

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


def measure_limits() -> LimitsCost:
    """Measure every step of a call that looks at limits, alone."""
    plain = _key()
    return LimitsCost(_cost_us(plain), _cost_us(_limited(plain)))


def _cost_us(key: ApiKey) -> float:
    gate = CallGate(max_streams=900, rates=ProcessCounters(clock=SystemClock()))
    request = InferenceRequest(
        model="demo",
        stream=False,
        wants_usage=False,
        prompt_bound=40,
        output_limit=20,
        choices=1,
        prompt_estimate=10,
        fields={},
    )

    def call() -> None:
        entered = gate.enter(request, key.key_hash)
        key.check_call("demo", "127.0.0.1")
        # The hold asks for them twice: which to read, and which to count in.
        _ = key.counts, key.counts
        gate.confirm(entered, key.key_hash, key)
        entered.leave(None)

    call()
    return statistics.median(_time(call) for _ in range(_ROUNDS))


def _time(call: Callable[[], None]) -> float:
    began = time.process_time()
    for _ in range(_TIMES):
        call()
    return (time.process_time() - began) / _TIMES * 1_000_000


def _key() -> ApiKey:
    now = SystemClock().now()
    return ApiKey(
        id="key",
        wallet_id="wallet",
        owner_id="owner",
        name="bench",
        prefix="sk-cc-abcd",
        last_four="wxyz",
        key_hash=b"h" * 32,
        created_at=now,
    )


def _limited(key: ApiKey) -> ApiKey:
    shared = KeyLimits(
        spend=ALL_LIMITS.spend,
        max_parallel=ALL_LIMITS.max_parallel,
        rpm=ALL_LIMITS.rpm,
        tpm=ALL_LIMITS.tpm,
    )
    return key.changed(limits=ALL_LIMITS, account_limits=shared)
