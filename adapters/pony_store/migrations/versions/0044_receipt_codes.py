"""Keep the code that a mobile network gave a payment, and check what a payer is asked to type."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Add the code, its index and the rule; payments that are there have no code."""
    op.add_column("transactions", _text("receipt_code", "length(receipt_code) <= 40"))
    has_code = sa.text("receipt_code <> ''")
    op.create_index(
        "transactions_of_receipt_code", "transactions", ["receipt_code"],
        sqlite_where=has_code, postgresql_where=has_code,
    )
    # SQLite takes a rule only along with its column, so another column takes the place of this.
    op.alter_column("transactions", "asks_for", new_column_name="asked_before")
    words = "('', 'otp', 'pin', 'phone', 'birthday', 'address')"
    op.add_column("transactions", _text("asks_for", f"asks_for IN {words}"))
    op.execute("UPDATE transactions SET asks_for = asked_before WHERE asked_before <> ''")
    op.drop_column("transactions", "asked_before")


def _text(name: str, check: str) -> sa.Column[str]:
    rule = sa.CheckConstraint(check, name=f"transactions_{name}")
    return sa.Column(name, sa.Text(), rule, nullable=False, server_default=sa.text("''"))
