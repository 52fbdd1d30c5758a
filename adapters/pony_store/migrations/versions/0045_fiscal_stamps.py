"""Keep what a tax authority's device said of a receipt or credit note, beside it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table; no document has a stamp yet."""
    op.create_table(
        "fiscal_stamps",
        _column("kind", TEXT),
        _column("number", BIGINT),
        _column("control_unit", TEXT),
        _column("invoice_number", TEXT),
        _column("internal_data", TEXT),
        _column("signature", TEXT),
        _column("signed_at", BIGINT),
        _column("qr", TEXT),
        sa.PrimaryKeyConstraint("kind", "number", name="fiscal_stamps_pkey"),
        sa.ForeignKeyConstraint(
            ["kind", "number"],
            ["documents.kind", "documents.number"],
            name="fiscal_stamps_document_fkey",
        ),
        sa.UniqueConstraint("invoice_number", name="fiscal_stamps_invoice_number_key"),
        sa.CheckConstraint("invoice_number <> ''", name="fiscal_stamps_invoice_number"),
        sa.CheckConstraint("signature <> '' OR qr <> ''", name="fiscal_stamps_provable"),
        sa.CheckConstraint(
            "length(control_unit) <= 64 AND length(invoice_number) <= 128"
            " AND length(internal_data) <= 128 AND length(signature) <= 512"
            " AND length(qr) <= 1000",
            name="fiscal_stamps_lengths",
        ),
        sqlite_strict=True,
    )


def _column(name: str, kind: Any) -> Any:
    return sa.Column(name, kind, nullable=False)
