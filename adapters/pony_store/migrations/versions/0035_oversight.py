"""Indexes for what operators list and search: people, payments, webhooks, keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Make an index for each list and each search."""
    op.create_index("profiles_by_time", "profiles", ["created_at", "id"])
    op.create_index("transactions_by_time", "transactions", ["created_at", "paystack_ref"])
    op.create_index(
        "transactions_of_state", "transactions", ["state", "created_at", "paystack_ref"]
    )
    _partial_index("transactions_of_number", "transactions", "provider_id", "provider_id <> ''")
    op.create_index("payment_events_by_time", "payment_events", ["received_at", "digest"])
    op.create_index("virtual_keys_by_prefix", "virtual_keys", ["prefix"])
    op.create_index("virtual_keys_by_last_four", "virtual_keys", ["last_four"])
    _partial_index(
        "system_alerts_open", "system_alerts", "at",
        "resolved_at IS NULL AND acknowledged_at IS NULL",
    )
    _partial_index(
        "transfers_into_wallets", "transfers", "at", "kind NOT IN ('charge', 'write_off')"
    )


def _partial_index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, [column], sqlite_where=condition, postgresql_where=condition
    )
