"""Keep which payments wait for a decision, and what was decided.

Purchases that are held back already wait from the time they were.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, and fill it."""
    op.create_table(
        "payment_reviews",
        _column("reference", NAME, primary_key=True),
        _column("kind", TEXT),
        _column("minor_units", BIGINT),
        _column("currency", TEXT),
        _column("provider_id", TEXT),
        _column("reason", TEXT),
        _column("state", TEXT),
        _column("resolution", TEXT),
        _column("opened_at", BIGINT),
        _column("closed_at", BIGINT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('underpaid', 'wrong_currency', 'reversed', 'unknown_reference')",
            name="payment_reviews_kind",
        ),
        sa.CheckConstraint(
            "(state IN ('open', 'refunding') AND closed_at IS NULL)"
            " OR (state IN ('credited', 'refunded', 'dismissed') AND closed_at IS NOT NULL"
            " AND resolution <> '')",
            name="payment_reviews_state",
        ),
        sa.CheckConstraint("minor_units >= 0", name="payment_reviews_amount"),
        sqlite_strict=True,
    )
    waiting = sa.text("closed_at IS NULL")
    op.create_index(
        "payment_reviews_waiting",
        "payment_reviews",
        ["opened_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.execute(
        """
        INSERT INTO payment_reviews (reference, kind, minor_units, currency, provider_id, reason,
                                     state, resolution, opened_at, closed_at)
        SELECT paystack_ref,
               CASE WHEN paid_currency <> price_currency THEN 'wrong_currency'
                    WHEN paid_minor_units < price_minor_units THEN 'underpaid'
                    ELSE 'reversed' END,
               COALESCE(paid_minor_units, 0), COALESCE(paid_currency, price_currency),
               provider_id, review_reason, 'open', '', closed_at, NULL
        FROM transactions WHERE state = 'under_review'
        """
    )


def _column(name: str, kind: Any, *parts: Any, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, *parts, nullable=nullable, **more)
