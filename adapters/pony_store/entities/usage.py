"""Calls counted by the hour."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class UsageHour(entity):
        """What was used of one model with one key in one hour."""

        _table_ = "usage_hourly"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        key_id = Required(str, autostrip=False)
        model = Required(str, autostrip=False)
        PrimaryKey(wallet_id, hour, key_id, model)
        calls = Required(int, size=64)
        failed = Required(int, size=64)
        cancelled = Required(int, size=64)
        refused_402 = Required(int, size=64)
        refused_429 = Required(int, size=64)
        refused_other = Required(int, size=64)
        prompt_tokens = Required(int, size=64)
        cached_tokens = Required(int, size=64)
        cache_write_tokens = Required(int, size=64)
        completion_tokens = Required(int, size=64)
        reasoning_tokens = Required(int, size=64)
        charge = Required(int, size=64)
        written_off = Required(int, size=64)
        provider_cost_picodollars = Required(int, size=64)
        streamed_tokens = Required(int, size=64)
        streaming_ms = Required(int, size=64)
        oldest_created_at = Optional(int, size=64)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class UsageWalletHour(entity):
        """How long a wallet's calls took in one hour, over all keys and models."""

        _table_ = "usage_wallet_hours"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        PrimaryKey(wallet_id, hour)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class UsageBlock(entity):
        """What was used of one model with one key in three or six hours, or in a day of UTC."""

        _table_ = "usage_blocks"
        wallet_id = Required(str, autostrip=False)
        hours = Required(int, size=64)
        begins = Required(int, size=64)
        key_id = Required(str, autostrip=False)
        model = Required(str, autostrip=False)
        PrimaryKey(wallet_id, hours, begins, key_id, model)
        calls = Required(int, size=64)
        failed = Required(int, size=64)
        cancelled = Required(int, size=64)
        refused_402 = Required(int, size=64)
        refused_429 = Required(int, size=64)
        refused_other = Required(int, size=64)
        prompt_tokens = Required(int, size=64)
        cached_tokens = Required(int, size=64)
        cache_write_tokens = Required(int, size=64)
        completion_tokens = Required(int, size=64)
        reasoning_tokens = Required(int, size=64)
        charge = Required(int, size=64)
        written_off = Required(int, size=64)
        provider_cost_picodollars = Required(int, size=64)
        streamed_tokens = Required(int, size=64)
        streaming_ms = Required(int, size=64)
        oldest_created_at = Optional(int, size=64)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class UsageWalletBlock(entity):
        """How long a wallet's calls took in such a block, over all keys and models."""

        _table_ = "usage_wallet_blocks"
        wallet_id = Required(str, autostrip=False)
        hours = Required(int, size=64)
        begins = Required(int, size=64)
        PrimaryKey(wallet_id, hours, begins)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class UsageLastUse(entity):
        """When a key was used last, to the hour, and for which model."""

        _table_ = "usage_last_uses"
        wallet_id = Required(str, autostrip=False)
        key_id = Required(str, autostrip=False)
        PrimaryKey(wallet_id, key_id)
        hour = Required(int, size=64)
        model = Optional(str, autostrip=False)

    class UsageRefusal(entity):
        """How many calls of one model with one key were refused alike in one hour."""

        _table_ = "usage_refusals"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        key_id = Required(str, autostrip=False)
        model = Required(str, autostrip=False)
        error = Required(str, autostrip=False)
        status = Required(int, size=64)
        PrimaryKey(wallet_id, hour, key_id, model, error, status)
        calls = Required(int, size=64)

    class UsageFailure(entity):
        """What calls of one model with one key came to that failed in one hour by one error."""

        _table_ = "usage_failures"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        key_id = Required(str, autostrip=False)
        model = Required(str, autostrip=False)
        error = Required(str, autostrip=False)
        PrimaryKey(wallet_id, hour, key_id, model, error)
        calls = Required(int, size=64)
        prompt_tokens = Required(int, size=64)
        cached_tokens = Required(int, size=64)
        completion_tokens = Required(int, size=64)
        charge = Required(int, size=64)

    class UsageEndpoint(entity):
        """What calls of one route came to in one hour."""

        _table_ = "usage_endpoints"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        endpoint = Required(str, autostrip=False)
        PrimaryKey(wallet_id, hour, endpoint)
        calls = Required(int, size=64)
        failed = Required(int, size=64)
        cancelled = Required(int, size=64)
        prompt_tokens = Required(int, size=64)
        cached_tokens = Required(int, size=64)
        completion_tokens = Required(int, size=64)
        charge = Required(int, size=64)

    class UsageRollup(entity):
        """How far calls are counted in ``usage_hourly``: one row."""

        _table_ = "usage_rollup"
        id = PrimaryKey(int, size=64)
        rolled_until = Required(int, size=64)
        created_from = Required(int, size=64)
