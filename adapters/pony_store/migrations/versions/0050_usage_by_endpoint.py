"""What calls came to by their route, hour by hour.

What is rolled up already is counted here, from the calls.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_KEY = ("wallet_id", "hour", "endpoint")
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
_FIGURES = ("calls", "failed", "cancelled", *_TOKENS, "charge")
_NOT_DONE = "(state = 'expired' OR status >= 400 OR error IS NOT NULL)"
_FAILED = f"""{_NOT_DONE} AND (state = 'expired' OR (state <> 'open' AND status <> 499 AND (
    status >= 400 OR (error IS NOT NULL AND error NOT IN (
        'credits_exhausted', 'incredible_usage', 'contradictory_usage')))))"""
_CANCELLED = "(state NOT IN ('open', 'expired') AND status = 499)"


def upgrade() -> None:
    """Make the table, and fill it."""
    op.create_table(
        "usage_endpoints",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        sa.Column("endpoint", NAME, nullable=False),
        *(sa.Column(name, BIGINT, nullable=False) for name in _FIGURES),
        sa.PrimaryKeyConstraint(*_KEY, name="usage_endpoints_pkey"),
        sa.CheckConstraint("calls > 0", name="usage_endpoints_calls"),
        sqlite_strict=True,
    )
    op.create_index("usage_endpoints_by_hour", "usage_endpoints", ["hour"])
    tokens = ", ".join(f"SUM(COALESCE({name}, 0))" for name in _TOKENS)
    op.execute(
        f"INSERT INTO usage_endpoints ({', '.join((*_KEY, *_FIGURES))})"  # noqa: S608 - the names above
        " SELECT wallet_id, closed_at / 3600000000 * 3600000000, COALESCE(endpoint, ''), COUNT(*),"
        f" SUM(CASE WHEN {_FAILED} THEN 1 ELSE 0 END),"
        f" SUM(CASE WHEN {_CANCELLED} THEN 1 ELSE 0 END), {tokens}, SUM(charge) FROM usage_logs"
        " WHERE closed_at < (SELECT COALESCE(MAX(rolled_until), 0) FROM usage_rollup)"
        " AND model IS NOT NULL GROUP BY 1, 2, 3"
    )
