"""The outbox.

A claim looks only at jobs of one kind that are due: closed jobs are not in that index. Lists
and the deletion of old jobs read the other index, from its beginning or its end.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table and its two indexes."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "jobs",
        sa.Column("kind", name, nullable=False),
        sa.Column("business_key", name, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("run_at", integer, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", integer, nullable=False),
        sa.Column("due_at", integer, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("closed_at", integer, nullable=True),
        sa.PrimaryKeyConstraint("kind", "business_key", name="jobs_pkey"),
        sa.CheckConstraint("kind <> '' AND business_key <> ''", name="jobs_name"),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'dead', 'discarded')", name="jobs_state"
        ),
        sa.CheckConstraint("attempts >= 0", name="jobs_attempts"),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="jobs_due"),
        sa.CheckConstraint("(state = 'waiting') = (closed_at IS NULL)", name="jobs_closed"),
        sqlite_strict=True,
        # A job is written two or three times within seconds.
        postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
    )
    for index, columns, where in (
        ("jobs_that_are_due", ["kind", "due_at", "business_key"], "due_at IS NOT NULL"),
        ("jobs_by_end", ["state", "closed_at"], "closed_at IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(
            index, "jobs", columns, sqlite_where=condition, postgresql_where=condition
        )
