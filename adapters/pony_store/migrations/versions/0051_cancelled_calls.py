"""An index that finds the few calls of a wallet whose callers left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"

_LEFT = sa.text("status = 499")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        *("usage_logs_left", "usage_logs", ["wallet_id", "created_at"]),
        sqlite_where=_LEFT,
        postgresql_where=_LEFT,
    )
