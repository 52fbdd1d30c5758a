"""What people say about themselves: their name, their time zone, the currency that they think in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns. Their defaults are for rows that exist, and for processes not yet replaced."""
    for name in ("name", "timezone", "shown_currency"):
        op.add_column(
            "profiles", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))
        )
