"""An address that is told when a key's stop has paused it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Add the column, of which no row is rewritten."""
    check = sa.CheckConstraint(
        "stop_per_hour IS NOT NULL OR stop_webhook = ''", name="virtual_keys_stop_webhook"
    )
    op.add_column(
        "virtual_keys",
        sa.Column("stop_webhook", sa.Text(), check, nullable=False, server_default=""),
    )
