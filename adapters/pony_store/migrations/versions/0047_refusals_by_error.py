"""Refused calls by error, hour by hour; and what failed calls came to beside their number.

What is rolled up already is counted here: failures from the calls. Refusals before this were
counted by their status alone, and that stands for their error.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_KEY = ("wallet_id", "hour", "key_id", "model", "error")
_FIGURES = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "charge")
_FAILED = """(state = 'expired' OR status >= 400 OR error IS NOT NULL)
    AND (state = 'expired' OR (state <> 'open' AND status <> 499 AND (
        status >= 400 OR (error IS NOT NULL AND error NOT IN (
            'credits_exhausted', 'incredible_usage', 'contradictory_usage')))))"""
_ERROR = """COALESCE(error, CASE WHEN state = 'expired' THEN 'unreported'
    ELSE 'http_' || status END)"""
_REFUSED = (("refused_402", 402, "http_402"), ("refused_429", 429, "http_429"),
            ("refused_other", 400, "refused"))  # fmt: skip


def upgrade() -> None:
    """Make the two tables, and fill them."""
    op.drop_table("usage_failures")
    op.create_table(
        "usage_failures",
        *_named(),
        *(sa.Column(name, BIGINT, nullable=False) for name in _FIGURES),
        sa.PrimaryKeyConstraint(*_KEY, name="usage_failures_pkey"),
        sa.CheckConstraint("calls > 0", name="usage_failures_calls"),
        sqlite_strict=True,
    )
    op.create_index("usage_failures_by_hour", "usage_failures", ["hour"])
    tokens = ", ".join(f"SUM(COALESCE({name}, 0))" for name in _FIGURES[1:])
    op.execute(
        f"INSERT INTO usage_failures ({', '.join((*_KEY, *_FIGURES))})"  # noqa: S608 - the names above
        " SELECT wallet_id, closed_at / 3600000000 * 3600000000,"
        " COALESCE(key_id, 'member:' || member_id, ''), COALESCE(model, ''),"
        f" {_ERROR}, COUNT(*), {tokens} FROM usage_logs"
        " WHERE closed_at < (SELECT COALESCE(MAX(rolled_until), 0) FROM usage_rollup)"
        f" AND {_FAILED} GROUP BY 1, 2, 3, 4, 5"
    )
    op.create_table(
        "usage_refusals",
        *_named(),
        sa.Column("status", BIGINT, nullable=False),
        sa.Column("calls", BIGINT, nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "status", name="usage_refusals_pkey"),
        sa.CheckConstraint("status >= 400", name="usage_refusals_status"),
        sa.CheckConstraint("calls > 0", name="usage_refusals_calls"),
        sqlite_strict=True,
    )
    for column, status, error in _REFUSED:
        op.execute(
            "INSERT INTO usage_refusals (wallet_id, hour, key_id, model, error, status, calls)"  # noqa: S608 - the names above
            f" SELECT wallet_id, hour, key_id, model, '{error}', {status}, {column}"
            f" FROM usage_hourly WHERE {column} > 0"
        )


def _named() -> list[sa.Column[Any]]:
    return [
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("key_id", "model", "error")),
    ]
