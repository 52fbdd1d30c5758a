"""Count what newcomers get on one day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table: one short row a day."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "daily_grants",
        sa.Column("day", name, primary_key=True),
        sa.Column("granted", integer, nullable=False),
        sa.CheckConstraint("granted > 0", name="daily_grants_granted"),
        sqlite_strict=True,
    )
