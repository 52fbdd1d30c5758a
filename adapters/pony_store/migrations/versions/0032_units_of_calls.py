"""Count what a call was sold by besides tokens: images, characters, time, searches.

Calls before this were sold by tokens alone, and have none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add the column; no row is rewritten."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("usage_logs", sa.Column("units", integer, nullable=True))
