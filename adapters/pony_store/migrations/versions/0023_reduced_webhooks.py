"""Mark webhooks whose details were forgotten, and find what is to be forgotten next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the column and two partial indexes: both are empty when all is forgotten in time."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("payment_events", sa.Column("reduced_at", integer, nullable=True))
    _partial("payment_events_complete", "payment_events", "received_at", "reduced_at IS NULL")
    phones = "phone <> '' AND substr(phone, 1, 3) <> '***'"
    _partial("transactions_of_phones", "transactions", "created_at", phones)


def _partial(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, [column], sqlite_where=condition, postgresql_where=condition
    )
