"""Keep what belongs to people who are away at Google or GitHub."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sign_in_flows",
        sa.Column("name", sa.LargeBinary(), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", integer, nullable=False),
        sa.CheckConstraint("length(name) = 32", name="sign_in_flows_name"),
        sqlite_strict=True,
    )
    op.create_index("sign_in_flows_by_end", "sign_in_flows", ["expires_at"])
