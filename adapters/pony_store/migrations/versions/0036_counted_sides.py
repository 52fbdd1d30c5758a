"""Keep which side of a call's usage was counted by us, and why.

Calls before this say only that some of it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add the columns; no row is rewritten."""
    word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    for side in ("input_counted", "output_counted"):
        op.add_column("usage_logs", sa.Column(side, word, nullable=True))
