"""What checks have found, and what became of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the table and its indexes, and add the columns of alerts."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    flag = sa.Boolean().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "monitoring_logs",
        sa.Column("number", integer, sa.Identity(), nullable=False),
        sa.Column("check_name", name, nullable=False),
        sa.Column("is_healthy", flag, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("value", integer, nullable=True),
        sa.Column("at", integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="monitoring_logs_pkey"),
        sa.CheckConstraint("check_name <> ''", name="monitoring_logs_check"),
        sqlite_strict=True,
    )
    op.create_index("monitoring_logs_of_check", "monitoring_logs", ["check_name", "number"])
    op.create_index("monitoring_logs_by_time", "monitoring_logs", ["at"])
    for column in (
        sa.Column("resolved_at", integer, nullable=True),
        sa.Column("acknowledged_at", integer, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
    ):
        op.add_column("system_alerts", column)
