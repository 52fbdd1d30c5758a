"""What a call counts for, as SQL over ``usage_logs``: what the domain's ``tally_of`` says of it."""

from __future__ import annotations

from creditcore.domain.usage_hours import BOUNDS_MS, BUCKETS, FIGURES, SPEED_FROM_TOKENS
from creditcore.ports.usage_hours import NO_KEY, no_key_of

from .endings import CANCELLED, DONE, FAILED

HOUR_MICROS = 3_600_000_000

REFUSALS = tuple(name for name in FIGURES if name.startswith("refused_"))
COUNTED_FROM_CALLS = tuple(name for name in FIGURES if name not in REFUSALS)

HOUR_OF_CALL = f"closed_at / {HOUR_MICROS} * {HOUR_MICROS}"
KEY_OF_CALL = f"COALESCE(key_id, '{no_key_of('')}' || member_id, '{NO_KEY}')"
KEY_AND_MODEL = f"{KEY_OF_CALL} AS key_id, COALESCE(model, '') AS model"
"""What the port's ``key_of`` says of a call, and its model."""

_STREAMED = f"""(model IS NOT NULL AND stream AND first_byte_ms IS NOT NULL
    AND COALESCE(completion_tokens, 0) >= {SPEED_FROM_TOKENS}
    AND latency_ms > first_byte_ms AND {DONE})"""
FIGURE: dict[str, str] = {
    "calls": "1",
    "failed": f"CASE WHEN {FAILED} THEN 1 ELSE 0 END",
    "cancelled": f"CASE WHEN {CANCELLED} THEN 1 ELSE 0 END",
    "prompt_tokens": "COALESCE(prompt_tokens, 0)",
    "cached_tokens": "COALESCE(cached_tokens, 0)",
    "cache_write_tokens": "COALESCE(cache_write_tokens, 0)",
    "completion_tokens": "COALESCE(completion_tokens, 0)",
    "reasoning_tokens": "COALESCE(reasoning_tokens, 0)",
    "charge": "charge",
    "written_off": "written_off",
    "provider_cost_picodollars": "provider_cost_picodollars",
    "streamed_tokens": f"CASE WHEN {_STREAMED} THEN completion_tokens ELSE 0 END",
    "streaming_ms": f"CASE WHEN {_STREAMED} THEN latency_ms - first_byte_ms ELSE 0 END",
}
"""By the name of each figure that calls count for."""


def _bucket(column: str) -> str:
    whens = " ".join(f"WHEN {column} <= {most} THEN {at}" for at, most in enumerate(BOUNDS_MS))
    return f"CASE {whens} ELSE {BUCKETS - 1} END"


LATENCY = f"CASE WHEN {DONE} AND latency_ms > 0 THEN {_bucket('latency_ms')} END"
FIRST_BYTE = f"""CASE WHEN {DONE} AND model IS NOT NULL AND stream AND first_byte_ms IS NOT NULL
    THEN {_bucket("first_byte_ms")} END"""
"""The bucket of a call's latency, and of its first byte; NULL where it counts in none."""

SUMS_OF_CALLS = ", ".join(
    f"CAST(SUM({FIGURE[name]}) AS BIGINT) AS {name}" for name in COUNTED_FROM_CALLS
)

ROLLED_UNTIL = "COALESCE((SELECT rolled_until FROM usage_rollup WHERE id = 1), 0)"
"""Up to when calls are counted in rows, as part of a statement."""

LIVE = f"""state <> 'open'
    AND created_at >= COALESCE((SELECT created_from FROM usage_rollup WHERE id = 1), 0)
    AND closed_at >= {ROLLED_UNTIL}"""
"""Calls that no row counts yet. All of them began after ``created_from``, also where the
clocks of two hosts differ by minutes, and those of one wallet are found by that."""

LIVE_FIGURES = ", ".join(f"{FIGURE.get(name, '0')} AS {name}" for name in FIGURES)
ALL_CALLS_BY_SPAN = f"""
    SELECT span, u.model, {", ".join(f"u.{name} AS {name}" for name in FIGURES)}
    FROM spans JOIN usage_hourly u ON u.hour >= since AND u.hour < until
    UNION ALL
    SELECT span, COALESCE(model, ''), {LIVE_FIGURES}
    FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
    WHERE state <> 'open' AND closed_at >= {ROLLED_UNTIL}
"""
"""What calls of all wallets count for, where ``spans`` has numbered stretches of time."""
