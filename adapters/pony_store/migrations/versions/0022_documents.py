"""Keep receipts and credit notes, each kind in one sequence without gaps."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and begin both sequences."""
    op.create_table(
        "document_numbers",
        _column("kind", TEXT, primary_key=True),
        _column("latest", BIGINT),
        sa.CheckConstraint("latest >= 0", name="document_numbers_latest"),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO document_numbers VALUES ('receipt', 0), ('credit_note', 0)")
    op.create_table(
        "documents",
        _column("kind", TEXT),
        _column("number", BIGINT),
        _column("reference", NAME),
        _column("purchase_ref", NAME, sa.ForeignKey("transactions.paystack_ref")),
        _column("owner_id", NAME),
        _column("original", BIGINT, nullable=True),
        _column("issued_at", BIGINT),
        _column("minor_units", BIGINT),
        _column("currency", TEXT),
        _column("tax_rate", BIGINT),
        _column("tax_minor_units", BIGINT),
        _column("details", TEXT),
        sa.PrimaryKeyConstraint("kind", "number", name="documents_pkey"),
        sa.UniqueConstraint("kind", "reference", name="documents_reference_key"),
        sa.CheckConstraint(
            "(kind = 'receipt' AND original IS NULL)"
            " OR (kind = 'credit_note' AND original IS NOT NULL)",
            name="documents_kind",
        ),
        sa.CheckConstraint(
            "number > 0 AND minor_units > 0 AND 0 <= tax_rate"
            " AND 0 <= tax_minor_units AND tax_minor_units <= minor_units",
            name="documents_amounts",
        ),
        sqlite_strict=True,
    )
    op.create_index("documents_of_purchase", "documents", ["purchase_ref"])
    op.create_index("documents_issued", "documents", ["issued_at"])


def _column(name: str, kind: Any, *parts: Any, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, *parts, nullable=nullable, **more)
