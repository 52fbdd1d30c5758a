"""What must happen once, where the service that is asked does not promise it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table, and the index by which old rows go."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "claims",
        sa.Column("name", name, nullable=False),
        sa.Column("place", integer, nullable=False),
        sa.Column("until", integer, nullable=False),
        sa.PrimaryKeyConstraint("name", "place", name="claims_pkey"),
        sa.CheckConstraint("place >= 0", name="claims_place"),
        sqlite_strict=True,
    )
    op.create_index("claims_until", "claims", ["until"])
