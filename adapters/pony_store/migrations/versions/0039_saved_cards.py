"""Keep saved cards, what their holders agreed to, and standing orders for top-ups."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; a purchase says from now on which saved card it charges."""
    op.add_column(
        "transactions", sa.Column("card_id", TEXT, nullable=False, server_default=sa.text("''"))
    )
    op.create_table(
        "saved_cards",
        _column("id", NAME),
        _column("owner_id", NAME),
        _column("email", NAME),
        _column("signature", NAME),
        *(_column(name, TEXT) for name in ("brand", "last4", "expires", "bank", "reference")),
        _column("sealed", sa.LargeBinary()),
        _column("saved_at", BIGINT),
        _column("removed_at", BIGINT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="saved_cards_pkey"),
        # One row for each card of a person: a new payment with it renews the code.
        sa.UniqueConstraint("owner_id", "email", "signature", name="saved_cards_card_key"),
        sqlite_strict=True,
    )
    op.create_table(
        "card_consents",
        _column("id", NAME),
        _column("person_id", NAME),
        _column("purpose", TEXT),
        _column("subject", NAME),
        _column("text", TEXT),
        _column("given_at", BIGINT),
        _column("address", TEXT),
        _column("user_agent", TEXT),
        _column("withdrawn_at", BIGINT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="card_consents_pkey"),
        sa.CheckConstraint("purpose IN ('save_card', 'top_up')", name="card_consents_purpose"),
        sa.CheckConstraint("text <> ''", name="card_consents_text"),
        sqlite_strict=True,
    )
    in_force = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "card_consents_in_force",
        "card_consents",
        ["purpose", "subject"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
    op.create_index("card_consents_by_person", "card_consents", ["person_id", "given_at"])
    op.create_table(
        "top_up_orders",
        _column("wallet_id", NAME),
        _column("person_id", NAME),
        _column("card_id", NAME),
        _column("threshold", BIGINT),
        _column("value_cents", BIGINT),
        _column("currency", TEXT),
        _column("per_day", BIGINT),
        _column("monthly_cap_cents", BIGINT),
        _column("changed_at", BIGINT),
        _column("state", TEXT),
        _column("reason", TEXT),
        _column("pending", TEXT),
        _column("begun", BIGINT),
        _column("rests_until", BIGINT, nullable=True),
        sa.PrimaryKeyConstraint("wallet_id", name="top_up_orders_pkey"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name="top_up_orders_wallet_id_fkey"),
        sa.CheckConstraint("state IN ('on', 'stopped', 'off')", name="top_up_orders_state"),
        sa.CheckConstraint(
            "threshold > 0 AND value_cents > 0 AND per_day > 0 AND begun >= 0"
            " AND monthly_cap_cents >= value_cents",
            name="top_up_orders_amounts",
        ),
        sqlite_strict=True,
    )
    op.create_index("top_up_orders_by_card", "top_up_orders", ["card_id"])
    op.create_table(
        "top_ups",
        _column("reference", NAME),
        _column("wallet_id", NAME),
        _column("number", BIGINT),
        _column("value_cents", BIGINT),
        _column("begun_at", BIGINT),
        _column("failed", BIGINT),
        sa.PrimaryKeyConstraint("reference", name="top_ups_pkey"),
        # No wallet ever begins the same attempt twice.
        sa.UniqueConstraint("wallet_id", "number", name="top_ups_number_key"),
        sa.ForeignKeyConstraint(
            ["reference"], ["transactions.paystack_ref"], name="top_ups_reference_fkey"
        ),
        sa.CheckConstraint("value_cents > 0 AND failed IN (0, 1)", name="top_ups_value"),
        sqlite_strict=True,
    )
    op.create_index("top_ups_by_time", "top_ups", ["wallet_id", "begun_at"])


def _column(name: str, kind: Any, *, nullable: bool = False) -> Any:
    return sa.Column(name, kind, nullable=nullable)
