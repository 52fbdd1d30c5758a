"""Mark which webhooks wait to be acted upon.

Those of before were acted upon when they came, unless the provider could not be asked.
Where a reported payment was not credited, it is asked again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns. Their defaults are for what processes not yet replaced receive: it is due."""
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    zero = sa.text("0")
    op.add_column(
        "payment_events", sa.Column("attempts", integer, nullable=False, server_default=zero)
    )
    op.add_column(
        "payment_events", sa.Column("due_at", integer, nullable=True, server_default=zero)
    )
    op.execute(
        """
        UPDATE payment_events SET due_at = NULL
        WHERE kind <> 'charge.success' OR NOT EXISTS (
            SELECT 1 FROM transactions p
            WHERE p.paystack_ref = payment_events.reference AND p.state IN ('pending', 'failed'))
        """
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "payment_events_due",
        "payment_events",
        ["due_at", "digest"],
        sqlite_where=due,
        postgresql_where=due,
    )
