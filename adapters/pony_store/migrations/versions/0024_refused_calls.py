"""Calls that were refused before they began, so that they are found by their id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refused_calls",
        sa.Column("id", NAME, primary_key=True, nullable=False),
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("status", BIGINT, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", BIGINT, nullable=False),
        sa.CheckConstraint("status >= 400", name="refused_calls_status"),
        sqlite_strict=True,
    )
    op.create_index(
        "refused_calls_of_wallet", "refused_calls", ["wallet_id", "created_at", "id"]
    )
    op.create_index("refused_calls_by_time", "refused_calls", ["created_at"])
