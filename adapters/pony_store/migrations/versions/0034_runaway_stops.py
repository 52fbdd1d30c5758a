"""Keys that are to be paused when they have spent so much within an hour.

Beside a pause stands why it is one: empty where the owner paused the key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the columns, of which no row is rewritten, and an index of keys with a stop."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column(
        "virtual_keys",
        sa.Column(
            "stop_per_hour",
            integer,
            sa.CheckConstraint("stop_per_hour > 0", name="virtual_keys_stop_per_hour"),
            nullable=True,
        ),
    )
    op.add_column(
        "virtual_keys",
        sa.Column(
            "stop_since",
            integer,
            sa.CheckConstraint(
                "(stop_per_hour IS NULL) = (stop_since IS NULL)", name="virtual_keys_stop_since"
            ),
            nullable=True,
        ),
    )
    op.add_column(
        "virtual_keys",
        sa.Column(
            "paused_by",
            sa.Text(),
            sa.CheckConstraint(
                "paused_at IS NOT NULL OR paused_by = ''", name="virtual_keys_paused_by"
            ),
            nullable=False,
            server_default="",
        ),
    )
    where = sa.text("stop_per_hour IS NOT NULL")
    op.create_index(
        "virtual_keys_with_stop",
        "virtual_keys",
        ["id"],
        postgresql_where=where,
        sqlite_where=where,
    )
