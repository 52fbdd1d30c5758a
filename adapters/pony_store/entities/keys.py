"""API keys, their limits, counters and copies at the model server."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class VirtualKey(entity):
        _table_ = "virtual_keys"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        name = Optional(str, autostrip=False)
        prefix = Optional(str, autostrip=False)
        last_four = Optional(str, autostrip=False)
        key_hash = Required(bytes, unique=True)
        created_at = Required(int, size=64)
        expires_at = Optional(int, size=64)
        revoked_at = Optional(int, size=64)
        paused_at = Optional(int, size=64)
        paused_by = Optional(str)
        stop_per_hour = Optional(int, size=64)
        stop_since = Optional(int, size=64)
        stop_webhook = Optional(str, autostrip=False)
        scopes = Required(str)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str)
        max_parallel = Optional(int, size=64)
        rpm = Optional(int, size=64)
        tpm = Optional(int, size=64)
        allowed_models = Optional(str, autostrip=False)
        allowed_addresses = Optional(str)
        account_spend_limit = Optional(int, size=64)
        account_spend_period = Optional(str)
        account_spend_zone = Optional(str)
        account_max_parallel = Optional(int, size=64)
        account_rpm = Optional(int, size=64)
        account_tpm = Optional(int, size=64)
        family = Optional(str, autostrip=False)
        revision = Required(int, size=64)
        holder_id = Optional(str, autostrip=False)

    class AccountLimits(entity):
        """What the keys of a wallet may use together."""

        _table_ = "account_limits"
        wallet_id = PrimaryKey(str, autostrip=False)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str)
        max_parallel = Optional(int, size=64)
        rpm = Optional(int, size=64)
        tpm = Optional(int, size=64)

    class KeyCounter(entity):
        """What a limited key has used, with all its rotated secrets, or a member of a team."""

        _table_ = "key_counters"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        since = Required(int, size=64)
        spend_limit = Optional(int, size=64)
        spent = Required(int, size=64)
        held = Required(int, size=64)
        open_calls = Required(int, size=64)
        period = Optional(str, autostrip=False)
        zone = Required(str, autostrip=False)
        raised = Required(int, size=64)

    class KeyMirror(entity):
        _table_ = "key_mirrors"
        key_id = PrimaryKey(str, autostrip=False)
        revision = Required(int, size=64)
        sync_status = Required(str)
        litellm_key_id = Optional(str, autostrip=False, nullable=True)
        last_synced_at = Optional(int, size=64)
        last_error = Optional(str, autostrip=False)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)
