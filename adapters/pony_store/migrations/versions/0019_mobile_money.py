"""Keep which phone a purchase is collected from, and when its provider was last asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the columns; their defaults are those of a purchase on the provider's page."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in ("network", "phone", "display_text"):
        op.add_column(
            "transactions", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))
        )
    op.add_column("transactions", sa.Column("checked_at", integer, nullable=True))
