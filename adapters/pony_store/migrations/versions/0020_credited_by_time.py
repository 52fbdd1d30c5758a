"""Find the purchases of a period that were credited, to reconcile them with the provider's list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the index; it has the few that were paid, and none of the many given up."""
    credited = sa.text("state IN ('paid', 'reversed')")
    op.create_index(
        "transactions_credited",
        "transactions",
        ["created_at"],
        sqlite_where=credited,
        postgresql_where=credited,
    )
