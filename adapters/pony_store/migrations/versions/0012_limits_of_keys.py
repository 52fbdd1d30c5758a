"""Limits of keys, and the count of what limited keys have used.

Keys before this have no limits, and are for inference. A hold keeps which count it went
into, so that closing it leaves the same one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns, of which no row is rewritten, and the table."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def optional(column: str, check: str | None = None) -> sa.Column[int]:
        checks = [] if check is None else [sa.CheckConstraint(check, name=f"virtual_keys_{column}")]
        return sa.Column(column, integer, *checks, nullable=True)

    def text(column: str, default: str = "", check: str | None = None) -> sa.Column[str]:
        checks = [] if check is None else [sa.CheckConstraint(check, name=f"virtual_keys_{column}")]
        return sa.Column(column, sa.Text(), *checks, nullable=False, server_default=default)

    for column in (
        optional("paused_at"),
        text("scopes", "inference", "scopes <> ''"),
        optional("spend_limit", "spend_limit >= 0"),
        text("spend_period", "", "spend_period IN ('', 'total', 'day', 'week', 'month')"),
        text("spend_zone", "", "(spend_limit IS NULL) = (spend_period = '')"),
        optional("max_parallel", "max_parallel > 0"),
        optional("rpm", "rpm > 0"),
        optional("tpm", "tpm > 0"),
        text("allowed_models"),
        text("allowed_addresses"),
        text("family"),
        sa.Column("revision", integer, nullable=False, server_default="0"),
    ):
        op.add_column("virtual_keys", column)
    op.add_column("usage_logs", sa.Column("counter_id", name, nullable=True))
    op.add_column("usage_logs", sa.Column("counted_since", integer, nullable=True))
    op.create_table(
        "key_counters",
        sa.Column("id", name, nullable=False),
        sa.Column("wallet_id", name, nullable=False),
        sa.Column("since", integer, nullable=False),
        sa.Column("spend_limit", integer, nullable=True),
        sa.Column("spent", integer, nullable=False),
        sa.Column("held", integer, nullable=False),
        sa.Column("open_calls", integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="key_counters_pkey"),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name="key_counters_wallet_id_fkey"
        ),
        sa.CheckConstraint("spend_limit >= 0", name="key_counters_spend_limit"),
        sa.CheckConstraint("spent >= 0", name="key_counters_spent"),
        sa.CheckConstraint("held >= 0", name="key_counters_held"),
        sa.CheckConstraint("open_calls >= 0", name="key_counters_open_calls"),
        sqlite_strict=True,
        # Every call of a limited key changes it twice, as it does its wallet.
        postgresql_with={"fillfactor": 50},
    )
