"""Keep who is told when which wallet runs low."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make the table: a row for each wallet whose owner has paid, or chose a threshold."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "low_balance_watches",
        sa.Column("wallet_id", name, nullable=False),
        sa.Column("person_id", name, nullable=False),
        sa.Column("threshold", integer, nullable=False),
        sa.Column("below_since", integer, nullable=True),
        sa.Column("crossings", integer, nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", name="low_balance_watches_pkey"),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name="low_balance_watches_wallet_id_fkey"
        ),
        sa.CheckConstraint("threshold >= 0 AND crossings >= 0", name="low_balance_watches_counts"),
        sqlite_strict=True,
    )
