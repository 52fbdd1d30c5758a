"""Limits that all keys of a wallet share.

Each key has a copy, so that a call reads nothing but its key. A hold keeps since when the
shared count it went into counts, so that closing it leaves the same one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the columns, of which no row is rewritten, and the table."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def limits(table: str, prefix: str) -> list[sa.Column[int] | sa.Column[str]]:
        def optional(column: str, check: str) -> sa.Column[int]:
            named = f"{prefix}{column}"
            constraint = sa.CheckConstraint(f"{named} {check}", name=f"{table}_{named}")
            return sa.Column(named, integer, constraint, nullable=True)

        def text(column: str, check: str) -> sa.Column[str]:
            named = f"{prefix}{column}"
            constraint = sa.CheckConstraint(check, name=f"{table}_{named}")
            return sa.Column(named, sa.Text(), constraint, nullable=False, server_default="")

        period = f"{prefix}spend_period"
        return [
            optional("spend_limit", ">= 0"),
            text("spend_period", f"{period} IN ('', 'total', 'day', 'week', 'month')"),
            text("spend_zone", f"({prefix}spend_limit IS NULL) = ({period} = '')"),
            optional("max_parallel", "> 0"),
            optional("rpm", "> 0"),
            optional("tpm", "> 0"),
        ]

    for column in limits("virtual_keys", "account_"):
        op.add_column("virtual_keys", column)
    op.add_column("usage_logs", sa.Column("account_counted_since", integer, nullable=True))
    op.create_index("virtual_keys_of_wallet", "virtual_keys", ["wallet_id"])
    op.create_table(
        "account_limits",
        sa.Column("wallet_id", name, nullable=False),
        *limits("account_limits", ""),
        sa.PrimaryKeyConstraint("wallet_id", name="account_limits_pkey"),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name="account_limits_wallet_id_fkey"
        ),
        sqlite_strict=True,
    )
