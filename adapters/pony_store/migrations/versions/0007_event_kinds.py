"""Name what a webhook means in our words; the provider's name of it has a column of its own.

Processes not yet replaced still write the provider's name where our word belongs, and no
name. Readers take the one such name that counts, ``charge.success``, for ``paid``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the name, and translate the kinds that are stored."""
    op.add_column(
        "payment_events", sa.Column("name", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    op.execute(
        """
        UPDATE payment_events SET name = kind, kind = CASE
            WHEN kind = '' THEN 'unreadable'
            WHEN kind = 'charge.success' THEN 'paid'
            WHEN kind LIKE 'refund.%' THEN 'refund'
            WHEN kind LIKE 'charge.dispute.%' THEN 'dispute'
            ELSE 'other' END
        """
    )
