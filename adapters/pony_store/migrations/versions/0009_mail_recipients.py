"""What is known of the addresses that mails go to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table, and the index of suppressed addresses."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mail_recipients",
        sa.Column("address", name, nullable=False),
        sa.Column("hour_began_at", integer, nullable=False),
        sa.Column("mails_in_hour", integer, nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("refused_at", integer, nullable=True),
        sa.PrimaryKeyConstraint("address", name="mail_recipients_pkey"),
        sa.CheckConstraint("mails_in_hour >= 0", name="mail_recipients_mails_in_hour"),
        sqlite_strict=True,
    )
    refused = sa.text("refused_at IS NOT NULL")
    op.create_index(
        "mail_recipients_refused",
        "mail_recipients",
        ["refused_at"],
        sqlite_where=refused,
        postgresql_where=refused,
    )
