"""Teams: who is in them, who is invited, and what each member may spend and has spent.

A member's spend is counted where that of limited keys is, under the lock of the team's wallet. A
hold keeps both counts that it went into. Defaults are for processes not yet replaced.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables and the columns, of which no row is rewritten."""
    _teams()
    _members()
    _invitations()
    _counts()


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", BIGINT, nullable=False),
        sa.Column("deleted_at", BIGINT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="teams_pkey"),
        sa.CheckConstraint("name <> ''", name="teams_name"),
        sqlite_strict=True,
    )


def _members() -> None:
    op.create_table(
        "team_members",
        sa.Column("team_id", NAME, nullable=False),
        sa.Column("person_id", NAME, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("joined_at", BIGINT, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "person_id", name="team_members_pkey"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="team_members_team_id_fkey"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["profiles.id"], name="team_members_person_id_fkey"
        ),
        sa.CheckConstraint(
            "role IN ('viewer', 'member', 'admin', 'owner')", name="team_members_role"
        ),
        sqlite_strict=True,
    )
    op.create_index("team_members_of_person", "team_members", ["person_id"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", NAME, nullable=False),
        sa.Column("team_id", NAME, nullable=False),
        sa.Column("email", NAME, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("invited_by", NAME, nullable=False),
        sa.Column("sent_at", BIGINT, nullable=False),
        sa.Column("expires_at", BIGINT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("closed_at", BIGINT, nullable=True),
        sa.Column("spend_limit", BIGINT, nullable=True),
        sa.Column("spend_period", TEXT, nullable=False),
        sa.Column("spend_zone", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="invitations_pkey"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="invitations_team_id_fkey"),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["profiles.id"], name="invitations_invited_by_fkey"
        ),
        # Owners are made of members, never invited.
        sa.CheckConstraint("role IN ('viewer', 'member', 'admin')", name="invitations_role"),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'revoked')", name="invitations_state"
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (closed_at IS NULL)", name="invitations_closed"
        ),
        sa.CheckConstraint(
            "spend_limit IS NOT NULL AND spend_limit >= 0"
            " AND spend_period IN ('total', 'day', 'week', 'month')"
            " OR spend_limit IS NULL AND spend_period = ''",
            name="invitations_limit",
        ),
        sqlite_strict=True,
    )
    pending = sa.text("state = 'pending'")
    op.create_index(
        "invitations_pending",
        "invitations",
        ["team_id", "email"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )


def _counts() -> None:
    for column in (
        sa.Column(
            "period",
            TEXT,
            sa.CheckConstraint(
                "period IN ('', 'total', 'day', 'week', 'month')", name="key_counters_period"
            ),
            nullable=False,
            server_default="",
        ),
        sa.Column("zone", TEXT, nullable=False, server_default="UTC"),
        sa.Column(
            "raised",
            BIGINT,
            sa.CheckConstraint("raised >= 0", name="key_counters_raised"),
            nullable=False,
            server_default="0",
        ),
    ):
        op.add_column("key_counters", column)
    op.add_column("usage_logs", sa.Column("member_id", NAME, nullable=True))
    op.add_column("usage_logs", sa.Column("member_counted_since", BIGINT, nullable=True))
    op.add_column(
        "virtual_keys", sa.Column("holder_id", NAME, nullable=False, server_default="")
    )
    held = sa.text("holder_id <> ''")
    op.create_index(
        "virtual_keys_of_holder",
        "virtual_keys",
        ["holder_id", "created_at"],
        sqlite_where=held,
        postgresql_where=held,
    )
