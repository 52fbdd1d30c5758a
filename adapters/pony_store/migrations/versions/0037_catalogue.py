"""What prices come from: the model server's list, the operator's rules, and their history.

The history begins with the snapshots that are there: each was in force from when it was first seen.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Make the tables, and give prices a markup and a last day."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("models", sa.Column("markup", sa.Text(), nullable=False, server_default="1"))
    op.add_column("models", sa.Column("retires_on", sa.Text(), nullable=True))
    op.create_table(
        "listed_models",
        sa.Column("model", name, nullable=False),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("listed_at", integer, nullable=False),
        sa.PrimaryKeyConstraint("model", name="listed_models_pkey"),
        sa.CheckConstraint("(price IS NULL) = (fault <> '')", name="listed_models_fault_check"),
        sqlite_strict=True,
    )
    op.create_table(
        "price_rules",
        sa.Column("id", name, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pattern", name, nullable=False),
        sa.Column("rates", sa.Text(), nullable=True),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", integer, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ends_at", integer, nullable=True),
        sa.Column("ended_at", integer, nullable=True),
        sa.PrimaryKeyConstraint("id", name="price_rules_pkey"),
        sa.CheckConstraint(
            "kind IN ('override', 'markup', 'hide')", name="price_rules_kind_check"
        ),
        sa.CheckConstraint(
            "(kind = 'override') = (rates IS NOT NULL)", name="price_rules_rates_check"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "price_changes",
        sa.Column("number", integer, sa.Identity(), nullable=False),
        sa.Column("model", name, nullable=False),
        sa.Column("snapshot", name, nullable=True),
        sa.Column("markup", sa.Text(), nullable=False),
        sa.Column("at", integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="price_changes_pkey"),
        sqlite_strict=True,
    )
    op.create_index("price_changes_of_model", "price_changes", ["model", "number"])
    op.execute(
        "INSERT INTO price_changes (model, snapshot, markup, at)"
        " SELECT model, id, '1', first_seen_at FROM price_snapshots ORDER BY first_seen_at, model"
    )
