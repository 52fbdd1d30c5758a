"""What operators list teams by, find them by, and shut them out with.

Names are found however their capital letters are written: a database's own folding knows only
ASCII in one case, and goes by the server's locale in the other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# A STRICT table has no boolean type.
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, which an older version leaves out, and write the folded names."""
    op.add_column(
        "teams", sa.Column("blocked", FLAG, nullable=False, server_default=sa.text(_false()))
    )
    op.add_column("teams", sa.Column("search_name", NAME, nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, name FROM teams")).all()
    for team_id, name in rows:
        connection.execute(
            sa.text("UPDATE teams SET search_name = :folded WHERE id = :id"),
            {"folded": name.casefold(), "id": team_id},
        )
    op.create_index("teams_by_creation", "teams", ["created_at", "id"])
    op.create_index("teams_by_name", "teams", ["search_name", "id"])


def _false() -> str:
    return "0" if op.get_bind().dialect.name == "sqlite" else "false"
