"""People whom the identity provider knows by another id than these books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the columns; no person has another id so far."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("profiles", sa.Column("subject", name, nullable=True))
    op.create_index("profiles_subject_key", "profiles", ["subject"], unique=True)
    op.add_column(
        "sessions", sa.Column("subject", name, nullable=False, server_default=sa.text("''"))
    )
