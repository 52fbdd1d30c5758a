"""What a team's receipts name: company, address, number of its tax registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

_LONGEST = {"company": 120, "address": 200, "tax_number": 40}


def upgrade() -> None:
    """Add the columns. Their defaults are for rows that exist, and for processes not yet replaced."""
    for name, longest in _LONGEST.items():
        rule = sa.CheckConstraint(f"length({name}) <= {longest}", name=f"teams_{name}")
        op.add_column(
            "teams", sa.Column(name, sa.Text(), rule, nullable=False, server_default=sa.text("''"))
        )
