"""Usage by three and six hours and by days of UTC, beside usage by the hour; last uses of keys.

A page of half a year read a row for each hour, key and model. What is rolled up already is
added up here by the database itself, each length from the one before. Histograms add as integers
of any length, which neither database has: SQLite is lent Python's, and PostgreSQL is taught to
add byte by byte.
"""

from __future__ import annotations

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
_HOUR = 3_600_000_000

# As on paper, from the lowest byte, which comes first.
_ADD_LANES = r"""
CREATE FUNCTION add_lanes(one bytea, other bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    total bytea := CASE WHEN length(one) < length(other) THEN other ELSE one END;
    addend bytea := CASE WHEN length(one) < length(other) THEN one ELSE other END;
    carry integer := 0;
BEGIN
    FOR at IN 0 .. length(total) - 1 LOOP
        IF at < length(addend) THEN
            carry := carry + get_byte(addend, at);
        ELSIF carry = 0 THEN
            EXIT;
        END IF;
        IF carry > 0 THEN
            carry := carry + get_byte(total, at);
            total := set_byte(total, at, carry & 255);
            carry := carry >> 8;
        END IF;
    END LOOP;
    RETURN CASE WHEN carry > 0 THEN total || '\x01'::bytea ELSE total END;
END
$$
"""


class _SumOfLanes:
    """Adds histograms up for SQLite."""

    def __init__(self) -> None:
        self._lanes = 0

    def step(self, packed: bytes) -> None:
        self._lanes += int.from_bytes(packed, "little")

    def finalize(self) -> bytes:
        return self._lanes.to_bytes((self._lanes.bit_length() + 7) // 8, "little")


def upgrade() -> None:
    """Make the tables and fill them."""
    op.create_table(
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
    op.create_table(
        "usage_wallet_blocks",
        sa.Column("wallet_id", NAME, sa.ForeignKey("wallets.id"), nullable=False),
        sa.Column("hours", BIGINT, nullable=False),
        sa.Column("begins", BIGINT, nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in HISTS),
        sa.PrimaryKeyConstraint("wallet_id", "hours", "begins", name="usage_wallet_blocks_pkey"),
        sqlite_strict=True,
    )
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
    if connection.dialect.name == "sqlite":
        driver = connection.connection.dbapi_connection
        driver.create_aggregate("sum_lanes", 1, _SumOfLanes)  # type: ignore[union-attr]
        _fill()
    else:
        op.execute(_ADD_LANES)
        op.execute("CREATE AGGREGATE sum_lanes(bytea) (SFUNC = add_lanes, STYPE = bytea)")
        _fill()
        op.execute("DROP AGGREGATE sum_lanes(bytea)")
        op.execute("DROP FUNCTION add_lanes(bytea, bytea)")
    # A block is added up again for all wallets at once.
    op.create_index("usage_blocks_by_begin", "usage_blocks", ["begins", "hours"])
    op.create_index("usage_wallet_blocks_by_begin", "usage_wallet_blocks", ["begins", "hours"])


def _fill() -> None:
    _add_up(3, source="usage_hourly", at="hour")
    _add_up(6, source="usage_blocks WHERE hours = 3")
    _add_up(24, source="usage_blocks WHERE hours = 6")
    timed = "usage_blocks WHERE hours = 3 AND length(latency_hist) + length(first_byte_hist) > 0"
    _add_up_wallets(3, source=timed)
    _add_up_wallets(6, source="usage_wallet_blocks WHERE hours = 3")
    _add_up_wallets(24, source="usage_wallet_blocks WHERE hours = 6")


def _add_up(length: int, *, source: str, at: str = "begins") -> None:
    figures = ", ".join(FIGURES)
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in FIGURES)
    op.execute(
        f"INSERT INTO usage_blocks (wallet_id, hours, begins, key_id, model, {figures},"
        f" oldest_created_at, latency_hist, first_byte_hist)"
        f" SELECT wallet_id, {length}, {at} - {at} % {length * _HOUR}, key_id, model, {sums},"
        f" MIN(oldest_created_at), sum_lanes(latency_hist), sum_lanes(first_byte_hist)"
        f" FROM {source} GROUP BY 1, 3, 4, 5"
    )


def _add_up_wallets(length: int, *, source: str) -> None:
    op.execute(
        "INSERT INTO usage_wallet_blocks (wallet_id, hours, begins, latency_hist, first_byte_hist)"
        f" SELECT wallet_id, {length}, begins - begins % {length * _HOUR},"
        f" sum_lanes(latency_hist), sum_lanes(first_byte_hist) FROM {source} GROUP BY 1, 3"
    )
