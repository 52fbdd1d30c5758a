"""Wallets and transfers, calls, keys, payments, people, prices and alerts.

The same tables on SQLite and PostgreSQL. SQLite's are STRICT, or it would take text
for an amount. Names are compared by their bytes on both.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A STRICT table has no boolean type.
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Make every table."""
    _people()
    _ledger()
    _payments()
    _prices_and_alerts()


def _people() -> None:
    _table(
        "profiles",
        _column("id", NAME, primary_key=True),
        _column("email", NAME),
        _column("role", TEXT),
        _column("blocked", FLAG),
        _column("created_at", BIGINT),
        sa.UniqueConstraint("email", name="profiles_email_key"),
        sa.CheckConstraint("role IN ('user', 'admin')", name="profiles_role"),
    )
    _table(
        "local_credentials",
        _column("profile_id", NAME, sa.ForeignKey("profiles.id"), primary_key=True),
        _column("password_hash", TEXT),
    )


def _ledger() -> None:
    _table(
        "wallets",
        _column("id", NAME, primary_key=True),
        _column("owner_id", NAME),
        _column("posted", BIGINT),
        _column("held", BIGINT),
        sa.UniqueConstraint("owner_id", name="wallets_owner_id_key"),
        sa.CheckConstraint("0 <= held AND held <= posted", name="wallets_held"),
        # Every call changes its wallet twice; room in the page keeps that off the index.
        postgresql_with={"fillfactor": 70},
    )
    _table(
        "transfers",
        _column("reference", NAME, primary_key=True),
        _column("wallet_id", NAME, sa.ForeignKey("wallets.id")),
        _column("from_account", NAME),
        _column("to_account", NAME),
        _column("amount", BIGINT),
        _column("kind", TEXT),
        _column("at", BIGINT),
        _column("note", TEXT),
        sa.CheckConstraint("amount > 0", name="transfers_amount"),
        sa.CheckConstraint("from_account <> to_account", name="transfers_accounts"),
    )
    op.create_index("transfers_of_wallet", "transfers", ["wallet_id", "at"])
    _partial_index(
        "transfers_beside_calls",
        "transfers",
        ["wallet_id", "at"],
        where="kind NOT IN ('charge', 'write_off')",
    )
    _table(
        "usage_logs",
        _column("id", NAME, primary_key=True),
        _column("wallet_id", NAME, sa.ForeignKey("wallets.id")),
        _column("key_id", NAME, nullable=True),
        _column("model", NAME, nullable=True),
        _column("endpoint", TEXT),
        _column("stream", FLAG),
        _column("prompt_bound", BIGINT),
        _column("output_bound", BIGINT),
        _column("price_snapshot", NAME, nullable=True),
        _column("multiplier", TEXT),
        _column("hold_amount", BIGINT),
        _column("state", TEXT),
        _column("charge", BIGINT),
        _column("written_off", BIGINT),
        _column("prompt_tokens", BIGINT, nullable=True),
        _column("completion_tokens", BIGINT, nullable=True),
        _column("cached_tokens", BIGINT, nullable=True),
        _column("cache_write_tokens", BIGINT, nullable=True),
        _column("cache_write_1h_tokens", BIGINT, nullable=True),
        _column("reasoning_tokens", BIGINT, nullable=True),
        _column("provider_cost_picodollars", BIGINT),
        _column("basis", TEXT),
        _column("status", BIGINT),
        _column("error", TEXT, nullable=True),
        _column("latency_ms", BIGINT),
        _column("first_byte_ms", BIGINT, nullable=True),
        _column("created_at", BIGINT),
        _column("expires_at", BIGINT),
        _column("closed_at", BIGINT, nullable=True),
        sa.CheckConstraint("0 <= charge AND charge <= hold_amount", name="usage_logs_charge"),
        sa.CheckConstraint("written_off >= 0", name="usage_logs_written_off"),
        sa.CheckConstraint(
            "state IN ('open', 'settled', 'released', 'expired')", name="usage_logs_state"
        ),
        sa.CheckConstraint(
            "(state = 'open' AND closed_at IS NULL AND charge = 0 AND written_off = 0)"
            " OR (state <> 'open' AND closed_at IS NOT NULL)",
            name="usage_logs_closed",
        ),
    )
    op.create_index("usage_logs_of_wallet", "usage_logs", ["wallet_id", "created_at"])
    _partial_index("usage_logs_open", "usage_logs", ["expires_at"], where="state = 'open'")
    _table(
        "virtual_keys",
        _column("id", NAME, primary_key=True),
        _column("wallet_id", NAME, sa.ForeignKey("wallets.id")),
        _column("owner_id", NAME),
        _column("name", TEXT),
        _column("prefix", TEXT),
        _column("last_four", TEXT),
        _column("key_hash", BYTES),
        _column("created_at", BIGINT),
        _column("expires_at", BIGINT, nullable=True),
        _column("revoked_at", BIGINT, nullable=True),
        sa.UniqueConstraint("key_hash", name="virtual_keys_key_hash_key"),
    )
    op.create_index("virtual_keys_of_owner", "virtual_keys", ["owner_id", "created_at"])


def _payments() -> None:
    _table(
        "transactions",
        _column("paystack_ref", NAME, primary_key=True),
        _column("owner_id", NAME),
        _column("wallet_id", NAME, sa.ForeignKey("wallets.id")),
        _column("email", TEXT),
        _column("value_minor_units", BIGINT),
        _column("value_currency", TEXT),
        _column("price_minor_units", BIGINT),
        _column("price_currency", TEXT),
        _column("rate_numerator", BIGINT, nullable=True),
        _column("rate_denominator", BIGINT, nullable=True),
        _column("rate_base", TEXT, nullable=True),
        _column("rate_quote", TEXT, nullable=True),
        _column("sold", BIGINT),
        _column("bonus", BIGINT),
        _column("state", TEXT),
        _column("checkout_url", TEXT),
        _column("paid_minor_units", BIGINT, nullable=True),
        _column("paid_currency", TEXT, nullable=True),
        _column("provider_id", TEXT),
        _column("channel", TEXT),
        _column("review_reason", TEXT),
        _column("created_at", BIGINT),
        _column("expires_at", BIGINT),
        _column("closed_at", BIGINT, nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'paid', 'failed', 'under_review', 'reversed')",
            name="transactions_state",
        ),
        sa.CheckConstraint(
            "value_minor_units > 0 AND price_minor_units > 0", name="transactions_price"
        ),
        sa.CheckConstraint("sold >= 0 AND bonus >= 0", name="transactions_credits"),
        sa.CheckConstraint(
            "(rate_numerator IS NULL AND rate_denominator IS NULL)"
            " OR (rate_numerator IS NOT NULL AND rate_numerator > 0"
            " AND rate_denominator IS NOT NULL AND rate_denominator > 0)",
            name="transactions_rate",
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (closed_at IS NULL)", name="transactions_closed"
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR (paid_minor_units IS NOT NULL AND paid_currency IS NOT NULL"
            " AND paid_currency = price_currency AND paid_minor_units >= price_minor_units)",
            name="transactions_paid",
        ),
    )
    op.create_index("transactions_of_owner", "transactions", ["owner_id", "created_at"])
    _partial_index(
        "transactions_pending", "transactions", ["created_at"], where="state = 'pending'"
    )
    _table(
        "payment_events",
        _column("digest", NAME, primary_key=True),
        _column("kind", TEXT),
        _column("reference", NAME),
        _column("body", TEXT),
        _column("received_at", BIGINT),
        _column("deliveries", BIGINT),
        sa.CheckConstraint("deliveries > 0", name="payment_events_deliveries"),
    )
    op.create_index("payment_events_of_reference", "payment_events", ["reference"])


def _prices_and_alerts() -> None:
    _table(
        "models",
        _column("model", NAME, primary_key=True),
        # Rates are integers of 10^-30 USD, longer than 64 bits: JSON with text in it.
        _column("rates", TEXT),
        _column("tiers", TEXT),
        _column("max_input_tokens", BIGINT, nullable=True),
        _column("max_output_tokens", BIGINT, nullable=True),
        _column("mode", TEXT),
        _column("updated_at", BIGINT),
    )
    _table(
        "price_snapshots",
        _column("id", NAME, primary_key=True),
        _column("model", NAME),
        _column("rates", TEXT),
        _column("tiers", TEXT),
        _column("first_seen_at", BIGINT),
    )
    _table(
        "system_alerts",
        _column("key", NAME, primary_key=True),
        _column("severity", TEXT),
        _column("subject", TEXT),
        _column("message", TEXT),
        _column("at", BIGINT),
    )
    op.create_index("system_alerts_by_time", "system_alerts", ["at"])


def _column(name: str, kind: Any, *parts: Any, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, *parts, nullable=nullable, **more)


def _table(name: str, *parts: Any, **more: Any) -> None:
    op.create_table(name, *parts, sqlite_strict=True, **more)


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, sqlite_where=condition, postgresql_where=condition
    )
