"""Calls, refused calls, and calls that may be repeated."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class UsageLog(entity):
        """A call, which is also its hold."""

        _table_ = "usage_logs"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        key_id = Optional(str, autostrip=False, nullable=True)
        model = Optional(str, autostrip=False, nullable=True)
        endpoint = Optional(str, autostrip=False)
        stream = Required(bool)
        prompt_bound = Required(int, size=64)
        output_bound = Required(int, size=64)
        price_snapshot = Optional(str, autostrip=False, nullable=True)
        multiplier = Optional(str, autostrip=False)
        hold_amount = Required(int, size=64)
        state = Required(str)
        charge = Required(int, size=64)
        written_off = Required(int, size=64)
        prompt_tokens = Optional(int, size=64)
        completion_tokens = Optional(int, size=64)
        cached_tokens = Optional(int, size=64)
        cache_write_tokens = Optional(int, size=64)
        cache_write_1h_tokens = Optional(int, size=64)
        reasoning_tokens = Optional(int, size=64)
        units = Optional(int, size=64)
        provider_cost_picodollars = Required(int, size=64)
        reported_cost_picodollars = Optional(int, size=64)
        basis = Required(str)
        input_counted = Optional(str, autostrip=False, nullable=True)
        output_counted = Optional(str, autostrip=False, nullable=True)
        status = Required(int, size=64)
        error = Optional(str, autostrip=False, nullable=True)
        latency_ms = Required(int, size=64)
        first_byte_ms = Optional(int, size=64)
        created_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        closed_at = Optional(int, size=64)
        counter_id = Optional(str, autostrip=False, nullable=True)
        counted_since = Optional(int, size=64)
        account_counted_since = Optional(int, size=64)
        member_id = Optional(str, autostrip=False, nullable=True)
        member_counted_since = Optional(int, size=64)
        repeat_id = Optional(str, autostrip=False, nullable=True)

    class RefusedCall(entity):
        _table_ = "refused_calls"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        key_id = Optional(str, autostrip=False)
        model = Optional(str, autostrip=False)
        endpoint = Optional(str, autostrip=False)
        status = Required(int, size=64)
        code = Optional(str, autostrip=False)
        message = Optional(str, autostrip=False)
        created_at = Required(int, size=64)

    class RepeatableCall(entity):
        """A call that came with an ``Idempotency-Key``, for a day."""

        _table_ = "repeatable_calls"
        id = PrimaryKey(str, autostrip=False)
        call_id = Required(str, unique=True, autostrip=False)
        fingerprint = Required(bytes)
        created_at = Required(int, size=64)
        status = Optional(int, size=64)
        answer = Optional(bytes)
