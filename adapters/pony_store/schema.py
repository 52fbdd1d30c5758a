"""The version of a database's schema: what is missing, and bringing it up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .engine import engine_for
from .faults import translation

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"

# Alembic and SQLAlchemy are imported where they are used: only migrating needs them,
# and a serving process need not carry them.


def migrate(url: str) -> list[str]:
    """Bring a database's schema up to date, and return the revisions that were applied.

    Many processes may call it at once: one migrates, the others wait and then find
    nothing to do. A migration that fails leaves the schema as it was.

    Raises:
        StoreUnavailableError: The database cannot be reached.
        StoreBusyError: Another process kept the SQLite file locked.
    """
    from alembic import command

    engine = engine_for(url)
    with _connected(url) as connection:
        connection.exec_driver_sql(engine.migration_lock)
        pending = _pending(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    return pending


def pending_migrations(url: str) -> list[str]:
    """Return the revisions that ``migrate`` would apply, in that order.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    with _connected(url) as connection:
        return _pending(connection)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import DBAPIError

    engine = engine_for(url).without_limits()
    alchemy = create_engine(
        f"{engine.dialect}://", creator=engine.open_connection, poolclass=NullPool
    )
    try:
        with alchemy.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise translation(error, engine) from error


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _pending(connection: Connection) -> list[str]:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    current = MigrationContext.configure(connection).get_current_revision() or "base"
    scripts = ScriptDirectory.from_config(_config())
    newest_first = scripts.iterate_revisions("head", current)
    return [script.revision for script in reversed(list(newest_first))]
