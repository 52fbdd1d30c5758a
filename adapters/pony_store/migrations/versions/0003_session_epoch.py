"""Give each person an epoch of sessions, so that signing out ends copies of the cookie too.

Sessions that began before this have none in their cookie: their owners sign in again, once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column. Its default is for rows that exist, and for processes not yet replaced."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column(
        "profiles", sa.Column("session_epoch", integer, nullable=False, server_default=sa.text("0"))
    )
