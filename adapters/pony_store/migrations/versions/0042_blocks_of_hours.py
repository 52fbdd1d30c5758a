"""Usage by three and six hours and by days of UTC, beside usage by the hour; last uses of keys.

A page of half a year read a row for each hour, key and model. What is rolled up already is
added up here, day by day of all wallets: histograms add as integers, in Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FIGURES = (
    "calls",
    "failed",
    "cancelled",
    "refused_402",
    "refused_429",
    "refused_other",
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "charge",
    "written_off",
    "provider_cost_picodollars",
    "streamed_tokens",
    "streaming_ms",
)
HISTS = ("latency_hist", "first_byte_hist")
LENGTHS = (3, 6, 24)
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


def upgrade() -> None:
    """Make the tables and fill them."""
    blocks = op.create_table(
        "usage_blocks",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hours", BIGINT, nullable=False),
        sa.Column("begins", BIGINT, nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        *(sa.Column(name, BIGINT, nullable=False) for name in FIGURES),
        sa.Column("oldest_created_at", BIGINT, nullable=True),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in HISTS),
        sa.PrimaryKeyConstraint(
            *("wallet_id", "hours", "begins", "key_id", "model"), name="usage_blocks_pkey"
        ),
        sa.CheckConstraint("hours IN (3, 6, 24)", name="usage_blocks_hours"),
        sa.CheckConstraint("failed + cancelled <= calls", name="usage_blocks_calls"),
        sa.CheckConstraint("charge >= 0 AND written_off >= 0", name="usage_blocks_charge"),
        sqlite_strict=True,
    )
    of_wallets = op.create_table(
        "usage_wallet_blocks",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hours", BIGINT, nullable=False),
        sa.Column("begins", BIGINT, nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in HISTS),
        sa.PrimaryKeyConstraint("wallet_id", "hours", "begins", name="usage_wallet_blocks_pkey"),
        sqlite_strict=True,
    )
    # A block is added up again for all wallets at once.
    op.create_index("usage_blocks_by_begin", "usage_blocks", ["begins", "hours"])
    op.create_index("usage_wallet_blocks_by_begin", "usage_wallet_blocks", ["begins", "hours"])
    op.create_table(
        "usage_last_uses",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("hour", BIGINT, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", "key_id", name="usage_last_uses_pkey"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO usage_last_uses (wallet_id, key_id, hour, model)"
        " SELECT u.wallet_id, u.key_id, u.hour, MAX(u.model) FROM usage_hourly u"
        " JOIN (SELECT wallet_id, key_id, MAX(hour) AS hour FROM usage_hourly"
        " WHERE calls > 0 GROUP BY wallet_id, key_id) AS latest ON latest.wallet_id = u.wallet_id"
        " AND latest.key_id = u.key_id AND latest.hour = u.hour"
        " WHERE u.calls > 0 GROUP BY u.wallet_id, u.key_id, u.hour"
    )
    connection = op.get_bind()
    for day in _days(connection):
        rows = connection.execute(
            sa.text("SELECT * FROM usage_hourly WHERE hour >= :day AND hour < :next"),
            {"day": day, "next": day + _DAY},
        ).all()
        for length in LENGTHS:
            if some := _added(rows, length, ("key_id", "model"), (*FIGURES, "oldest_created_at")):
                connection.execute(blocks.insert(), some)
            timed = [row for row in rows if any(getattr(row, name) for name in HISTS)]
            if some := _added(timed, length, (), ()):
                connection.execute(of_wallets.insert(), some)


def _days(connection: Any) -> Iterator[int]:
    hour = connection.execute(sa.text("SELECT MIN(hour) FROM usage_hourly")).scalar()
    while hour is not None:
        day = hour // _DAY * _DAY
        yield day
        hour = connection.execute(
            sa.text("SELECT MIN(hour) FROM usage_hourly WHERE hour >= :next"), {"next": day + _DAY}
        ).scalar()


def _added(
    rows: Sequence[Any], length: int, more_names: Sequence[str], figures: Sequence[str]
) -> list[dict[str, object]]:
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in rows:
        begins = row.hour // (length * _HOUR) * length * _HOUR
        named = {"wallet_id": row.wallet_id, "hours": length, "begins": begins}
        named |= {name: getattr(row, name) for name in more_names}
        new = {name: getattr(row, name) for name in figures}
        new |= {name: int.from_bytes(getattr(row, name), "little") for name in HISTS}
        had = found.setdefault(tuple(named.values()), named)
        for name, value in new.items():
            had[name] = _both(name, had.get(name), value)
    return [{**each, **{name: _packed(each[name]) for name in HISTS}} for each in found.values()]


def _both(name: str, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other) if name == "oldest_created_at" else one + other


def _packed(lanes: int) -> bytes:
    return lanes.to_bytes((lanes.bit_length() + 7) // 8, "little")
