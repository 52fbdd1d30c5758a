"""Failed calls by model and error, hour by hour; and an index that operators list them by.

What is rolled up already is counted here, from the calls. A playground call counts as one
without a key, as it did then: ``usage rebuild`` tells it apart by the member who made it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_NOT_DONE = "state = 'expired' OR status >= 400 OR error IS NOT NULL"
_ANSWERED = "'credits_exhausted', 'incredible_usage', 'contradictory_usage'"
_FAILED = f"""({_NOT_DONE}) AND (state = 'expired' OR (state <> 'open' AND status <> 499 AND (
    status >= 400 OR (error IS NOT NULL AND error NOT IN ({_ANSWERED})))))"""
_ERROR = """COALESCE(error, CASE WHEN state = 'expired' THEN 'unreported'
    ELSE 'http_' || status END)"""


def upgrade() -> None:
    """Make the table, fill it, and make the index."""
    op.create_table(
        "usage_failures",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("error", NAME, nullable=False),
        sa.Column("calls", BIGINT, nullable=False),
        sa.PrimaryKeyConstraint(
            *("wallet_id", "hour", "key_id", "model", "error"), name="usage_failures_pkey"
        ),
        sa.CheckConstraint("calls > 0", name="usage_failures_calls"),
        sqlite_strict=True,
    )
    op.create_index("usage_failures_by_hour", "usage_failures", ["hour"])
    op.execute(
        "INSERT INTO usage_failures (wallet_id, hour, key_id, model, error, calls)"
        " SELECT wallet_id, closed_at / 3600000000 * 3600000000, COALESCE(key_id, ''),"
        f" COALESCE(model, ''), {_ERROR}, COUNT(*) FROM usage_logs"
        " WHERE closed_at < (SELECT COALESCE(MAX(rolled_until), 0) FROM usage_rollup)"
        f" AND {_FAILED} GROUP BY 1, 2, 3, 4, 5"
    )
    condition = sa.text(_NOT_DONE)
    op.create_index(
        *("usage_logs_failed", "usage_logs", ["closed_at", "id"]),
        sqlite_where=condition,
        postgresql_where=condition,
    )
