"""What people want on their receipts: company, address, number of their tax registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    """Add the columns. Their defaults are for rows that exist, and for processes not yet replaced."""
    for name in ("company", "address", "tax_number"):
        op.add_column(
            "profiles", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))
        )
