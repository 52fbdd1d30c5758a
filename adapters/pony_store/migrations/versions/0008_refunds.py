"""Keep what goes back of a payment, and what a wallet owes for it.

Owed are credits that were reversed after they had been spent. Rows that exist owe nothing. A wallet that owes has nothing available, so that no process can
let it spend, also one that does not know the column yet.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A STRICT table has no boolean type.
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column with its rule, and the table."""
    rule = "owed = 0 OR (owed > 0 AND posted = held)"
    # SQLite adds no constraint to a table that exists, but takes one along with a column.
    integer = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE wallets ADD COLUMN owed {integer} NOT NULL DEFAULT 0"
        f" CONSTRAINT wallets_owed CHECK ({rule})"
    )
    _partial_index("wallets_owing", "wallets", ["id"], where="owed > 0")
    op.create_table(
        "refunds",
        _column("id", NAME, primary_key=True),
        _column("purchase_ref", NAME, sa.ForeignKey("transactions.paystack_ref")),
        _column("wallet_id", NAME, sa.ForeignKey("wallets.id")),
        _column("kind", TEXT),
        _column("state", TEXT),
        _column("minor_units", BIGINT),
        _column("currency", TEXT),
        _column("credits", BIGINT),
        _column("provider_id", NAME, nullable=True),
        _column("reason", TEXT),
        _column("by_provider", FLAG),
        _column("turns", BIGINT),
        _column("created_at", BIGINT),
        _column("updated_at", BIGINT),
        sa.UniqueConstraint("kind", "provider_id", name="refunds_provider_id_key"),
        sa.CheckConstraint("kind IN ('refund', 'dispute')", name="refunds_kind"),
        sa.CheckConstraint(
            "state IN ('requested', 'pending', 'needs_attention', 'processed', 'failed')",
            name="refunds_state",
        ),
        sa.CheckConstraint("minor_units > 0", name="refunds_amount"),
        sa.CheckConstraint(
            "credits >= 0 AND (state <> 'failed' OR credits = 0)", name="refunds_credits"
        ),
        sqlite_strict=True,
    )
    op.create_index("refunds_of_purchase", "refunds", ["purchase_ref", "created_at"])
    _partial_index(
        "refunds_under_way",
        "refunds",
        ["updated_at"],
        where="state NOT IN ('processed', 'failed')",
    )


def _column(name: str, kind: Any, *parts: Any, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, *parts, nullable=nullable, **more)


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, sqlite_where=condition, postgresql_where=condition
    )
