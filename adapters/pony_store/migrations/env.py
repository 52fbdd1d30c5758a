"""Runs revisions on the connection that ``schema`` opened and will commit."""

from __future__ import annotations

from alembic import context

# SQLite can undo DDL too; Alembic does not count on it unless told.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
