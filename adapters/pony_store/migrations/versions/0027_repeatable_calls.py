"""Calls that came with an ``Idempotency-Key``, for a day.

Rows are found by token, by call, and by age when they are deleted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Make the table and its index."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "repeatable_calls",
        sa.Column("id", name, nullable=False),
        sa.Column("call_id", name, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", integer, nullable=False),
        sa.Column("status", integer, nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="repeatable_calls_pkey"),
        sa.UniqueConstraint("call_id", name="repeatable_calls_call_id_key"),
        sa.CheckConstraint(
            "(status IS NULL) = (answer IS NULL)", name="repeatable_calls_answer"
        ),
        sqlite_strict=True,
    )
    op.create_index("repeatable_calls_by_age", "repeatable_calls", ["created_at"])
