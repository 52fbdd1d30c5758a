"""Keep who wants to be mailed each week what they used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Make the table: a row for each person who wants it, found by when they are mailed next."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "weekly_summaries",
        sa.Column("person_id", name, nullable=False),
        sa.Column("due_at", integer, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="weekly_summaries_pkey"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["profiles.id"], name="weekly_summaries_person_id_fkey"
        ),
        sqlite_strict=True,
    )
    op.create_index("weekly_summaries_due", "weekly_summaries", ["due_at", "person_id"])
