"""Let payments wait for two more reasons: their person is gone, or they were made twice."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = (
    "kind IN ('underpaid', 'wrong_currency', 'reversed', 'person_gone', 'duplicate',"
    " 'unknown_reference')"
)
COLUMNS = (
    "reference, kind, minor_units, currency, provider_id, reason, state, resolution,"
    " opened_at, closed_at"
)


def upgrade() -> None:
    """Replace the constraint. SQLite cannot: there the table is written anew."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("payment_reviews_kind", "payment_reviews", type_="check")
        op.create_check_constraint("payment_reviews_kind", "payment_reviews", KINDS)
        return
    op.rename_table("payment_reviews", "payment_reviews_before")
    op.drop_index("payment_reviews_waiting")
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
        sa.CheckConstraint(KINDS, name="payment_reviews_kind"),
        sa.CheckConstraint(
            "(state IN ('open', 'refunding') AND closed_at IS NULL)"
            " OR (state IN ('credited', 'refunded', 'dismissed') AND closed_at IS NOT NULL"
            " AND resolution <> '')",
            name="payment_reviews_state",
        ),
        sa.CheckConstraint("minor_units >= 0", name="payment_reviews_amount"),
        sqlite_strict=True,
    )
    op.create_index(
        "payment_reviews_waiting",
        "payment_reviews",
        ["opened_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.execute(
        f"INSERT INTO payment_reviews ({COLUMNS}) SELECT {COLUMNS} FROM payment_reviews_before"
    )
    op.drop_table("payment_reviews_before")


def _column(name: str, kind: Any, *parts: Any, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, *parts, nullable=nullable, **more)
