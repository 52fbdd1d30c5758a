"""Usage by the hour, and the indexes that lists of calls are read by.

Calls that have ended are rolled up by the worker. Until it has come that far, pages read
them one by one, as before.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FIGURES = (
    "calls",
    "failed",
    "cancelled",
    "refused_402",
    "refused_429",
    "refused_other",
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "charge",
    "written_off",
    "provider_cost_picodollars",
    "streamed_tokens",
    "streaming_ms",
)


def upgrade() -> None:
    """Make the tables and indexes."""
    op.create_table(
        "usage_hourly",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        *(sa.Column(name, BIGINT, nullable=False) for name in FIGURES),
        sa.Column("oldest_created_at", BIGINT, nullable=True),
        sa.Column("latency_hist", sa.LargeBinary(), nullable=False),
        sa.Column("first_byte_hist", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "hour", "key_id", "model", name="usage_hourly_pkey"),
        sa.CheckConstraint("failed + cancelled <= calls", name="usage_hourly_calls"),
        sa.CheckConstraint("charge >= 0 AND written_off >= 0", name="usage_hourly_charge"),
        sqlite_strict=True,
    )
    # Hours are counted again, and compared with the calls, whoever they are of.
    op.create_index("usage_hourly_by_hour", "usage_hourly", ["hour"])
    op.create_table(
        "usage_rollup",
        sa.Column("id", BIGINT, nullable=False, primary_key=True),
        sa.Column("rolled_until", BIGINT, nullable=False),
        sa.Column("created_from", BIGINT, nullable=False),
        sa.CheckConstraint("id = 1", name="usage_rollup_only"),
        sqlite_strict=True,
    )
    # A call enters it once, when it ends: the hot path pays for one index entry.
    _partial_index("usage_logs_closed", ["closed_at"], where="closed_at IS NOT NULL")
    op.create_index("usage_logs_of_key", "usage_logs", ["wallet_id", "key_id", "created_at"])
    op.create_index("usage_logs_of_model", "usage_logs", ["wallet_id", "model", "created_at"])
    _partial_index(
        "usage_logs_not_done",
        ["wallet_id", "created_at"],
        where="state = 'expired' OR status >= 400 OR error IS NOT NULL",
    )


def _partial_index(name: str, columns: list[str], *, where: str) -> None:
    condition: Any = sa.text(where)
    op.create_index(
        name, "usage_logs", columns, sqlite_where=condition, postgresql_where=condition
    )
