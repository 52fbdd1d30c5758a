"""Keep beside our price of a call what the model server says that it cost.

Calls before this, and answers that tell no cost, have none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; no row is rewritten."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("usage_logs", sa.Column("reported_cost_picodollars", integer, nullable=True))
