"""Keep the charges of calls out of the index of a wallet's transfers.

No page reads them from there: calls have a table of their own. Each call wrote one more
random page of an index that grew as quickly as the table.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the index; its smaller twin, ``transfers_beside_calls``, stays."""
    op.drop_index("transfers_of_wallet", "transfers")
