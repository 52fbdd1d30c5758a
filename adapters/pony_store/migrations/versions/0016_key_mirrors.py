"""How far the model server's copy of each key is; every key there is gets one, to be made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table, a mirror for each key, and the indexes of what is due and of funds."""
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "key_mirrors",
        sa.Column("key_id", name, nullable=False),
        sa.Column("revision", integer, nullable=False),
        sa.Column("sync_status", sa.Text(), nullable=False),
        sa.Column("litellm_key_id", sa.Text(), nullable=True),
        sa.Column("last_synced_at", integer, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("attempts", integer, nullable=False),
        sa.Column("due_at", integer, nullable=True),
        sa.PrimaryKeyConstraint("key_id", name="key_mirrors_pkey"),
        sa.ForeignKeyConstraint(["key_id"], ["virtual_keys.id"], name="key_mirrors_key_id_fkey", ondelete="CASCADE"),
        sa.CheckConstraint(
            "sync_status IN ('pending', 'synced', 'failed')", name="key_mirrors_sync_status"
        ),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO key_mirrors (key_id, revision, sync_status, last_error, attempts, due_at)"
        " SELECT id, 1, 'pending', '', 0, 0 FROM virtual_keys"
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "key_mirrors_due",
        "key_mirrors",
        ["due_at", "key_id"],
        sqlite_where=due,
        postgresql_where=due,
    )
    op.create_index("key_mirrors_synced", "key_mirrors", ["sync_status", "last_synced_at"])
    funds = sa.text("kind NOT IN ('charge', 'write_off')")
    op.create_index(
        "transfers_of_funds", "transfers", ["at"], sqlite_where=funds, postgresql_where=funds
    )
