"""Keep sessions, second factors and mailed links.

Accounts of before count as confirmed: no address was confirmed then. Sessions of before are
in no table: their owners sign in again, once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Add columns and tables. Defaults are for processes not yet replaced."""
    _credentials()
    _sessions()
    _links()


def _credentials() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    no_bytes = sa.text("x''" if sqlite else "''")
    for column in (
        sa.Column("confirmed_at", BIGINT, nullable=True, server_default=sa.text("0")),
        sa.Column("banned_until", BIGINT, nullable=True),
        sa.Column("totp_sealed", BYTES, nullable=False, server_default=no_bytes),
        sa.Column("totp_since", BIGINT, nullable=True),
        sa.Column("totp_step", BIGINT, nullable=False, server_default=sa.text("0")),
        sa.Column("recovery_hashes", TEXT, nullable=False, server_default=sa.text("''")),
        sa.Column("new_email", NAME, nullable=False, server_default=sa.text("''")),
        sa.Column("failures", BIGINT, nullable=False, server_default=sa.text("0")),
        sa.Column("paused_until", BIGINT, nullable=True),
    ):
        op.add_column("local_credentials", column)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("secret_hash", BYTES, nullable=False),
        sa.Column("person_id", NAME, sa.ForeignKey("profiles.id"), nullable=False),
        sa.Column("epoch", BIGINT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("created_at", BIGINT, nullable=False),
        sa.Column("last_seen_at", BIGINT, nullable=False),
        sa.Column("proved_at", BIGINT, nullable=False),
        sa.Column("provider_session_id", NAME, nullable=False),
        sa.Column("sealed_grant", BYTES, nullable=False),
        sa.Column("good_until", BIGINT, nullable=True),
        sa.Column("refreshing_until", BIGINT, nullable=True),
        sa.Column("ended_at", BIGINT, nullable=True),
        sa.UniqueConstraint("secret_hash", name="sessions_secret_hash_key"),
        sa.CheckConstraint("length(secret_hash) = 32", name="sessions_secret_hash"),
        sa.CheckConstraint(
            "stage IN ('open', 'second_factor', 'new_password', 'recovering')",
            name="sessions_stage",
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR length(sealed_grant) = 0", name="sessions_ended"
        ),
        sqlite_strict=True,
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "sessions_of_person",
        "sessions",
        ["person_id", "last_seen_at"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index("sessions_by_use", "sessions", ["last_seen_at"])


def _links() -> None:
    op.create_table(
        "mailed_links",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("person_id", NAME, sa.ForeignKey("profiles.id"), nullable=False),
        sa.Column("email", NAME, nullable=False),
        sa.Column("created_at", BIGINT, nullable=False),
        sa.Column("closed_at", BIGINT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('signup', 'recovery', 'invite', 'email_change')", name="mailed_links_kind"
        ),
        sqlite_strict=True,
    )
    op.create_index("mailed_links_of_person", "mailed_links", ["person_id", "kind", "created_at"])
    op.create_index("mailed_links_by_age", "mailed_links", ["created_at"])
