"""How long calls took, by wallet and hour, over all keys and models.

A page of half a year read a row of histograms for each key and model of each hour. What is
rolled up already is added here, wallet by wallet: histograms add as integers, in Python.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table and fill it."""
    table = op.create_table(
        "usage_wallet_hours",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        sa.Column("latency_hist", sa.LargeBinary(), nullable=False),
        sa.Column("first_byte_hist", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "hour", name="usage_wallet_hours_pkey"),
        sqlite_strict=True,
    )
    # An hour is counted again for all wallets at once.
    op.create_index("usage_wallet_hours_by_hour", "usage_wallet_hours", ["hour"])
    connection = op.get_bind()
    wallets = connection.execute(sa.text("SELECT DISTINCT wallet_id FROM usage_hourly")).scalars()
    for wallet_id in wallets.all():
        rows = connection.execute(
            sa.text(
                "SELECT hour, latency_hist, first_byte_hist FROM usage_hourly"
                " WHERE wallet_id = :wallet_id AND calls > 0 ORDER BY hour"
            ),
            {"wallet_id": wallet_id},
        )
        hours = [
            {"wallet_id": wallet_id, "hour": hour, **_added(list(some))}
            for hour, some in groupby(rows, key=itemgetter(0))
        ]
        if hours:
            connection.execute(table.insert(), hours)


def _added(rows: list[Any]) -> dict[str, bytes]:
    return {
        name: _packed(sum(int.from_bytes(getattr(row, name), "little") for row in rows))
        for name in ("latency_hist", "first_byte_hist")
    }


def _packed(lanes: int) -> bytes:
    return lanes.to_bytes((lanes.bit_length() + 7) // 8, "little")
