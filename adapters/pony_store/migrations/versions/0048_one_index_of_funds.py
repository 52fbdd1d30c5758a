"""Keep one of two indexes of the transfers beside those of calls, by time.

``transfers_of_funds`` has the same rows in the same order. What a call writes is in neither, but
asked each time whether it is.
"""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Drop the index; its older twin stays."""
    op.drop_index("transfers_into_wallets", "transfers")
