"""Which request made a call, where it repeats an earlier one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Add the column; calls that are there were made by the requests that named them."""
    op.add_column("usage_logs", sa.Column("repeat_id", sa.Text(), nullable=True))
