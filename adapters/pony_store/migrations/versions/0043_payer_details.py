"""Keep what a provider wants the payer of a phone to type; what they type is never stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Add the column; nothing is asked of payments that are there."""
    op.add_column(
        "transactions",
        sa.Column("asks_for", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
