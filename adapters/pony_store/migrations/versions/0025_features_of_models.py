"""What each model can do, such as reading images, for clients that look before they ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the column. Its default is for rows until the list is next read."""
    op.add_column(
        "models", sa.Column("features", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
