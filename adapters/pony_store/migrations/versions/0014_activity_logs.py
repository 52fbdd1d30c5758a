"""Who did what to what, from where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table and its index."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "activity_logs",
        sa.Column("number", integer, sa.Identity(), nullable=False),
        sa.Column("actor_id", name, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("person_id", name, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="activity_logs_pkey"),
        sa.CheckConstraint(
            "actor_id <> '' AND act <> '' AND target <> ''", name="activity_logs_said"
        ),
        sqlite_strict=True,
    )
    op.create_index("activity_logs_of_person", "activity_logs", ["person_id", "number"])
