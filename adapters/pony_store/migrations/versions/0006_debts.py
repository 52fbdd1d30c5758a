"""Keep what a wallet owes: credits that were reversed after they had been spent.

Rows that exist owe nothing. A wallet that owes has nothing available, so that no process can
let it spend, also one that does not know the column yet.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column, and the rule."""
    rule = "owed = 0 OR (owed > 0 AND posted = held)"
    # SQLite adds no constraint to a table that exists, but takes one along with a column.
    integer = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE wallets ADD COLUMN owed {integer} NOT NULL DEFAULT 0"
        f" CONSTRAINT wallets_owed CHECK ({rule})"
    )
    owing = sa.text("owed > 0")
    op.create_index(
        "wallets_owing", "wallets", ["id"], sqlite_where=owing, postgresql_where=owing
    )
