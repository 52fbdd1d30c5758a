"""The store on SQLite or PostgreSQL, through Pony.

``migrate`` brings a database's schema up to date, ``open_store`` opens it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .on_demand import StoreOnDemand
from .schema import migrate, pending_migrations
from .transactions import PonyTransactions, open_store

if TYPE_CHECKING:
    from .committer.committer import PostgresCommitter
    from .database_clock import DatabaseClock, HostClock

__all__ = [
    "PonyTransactions",
    "StoreOnDemand",
    "clock_for",
    "committer_for",
    "install_wait_callback",
    "migrate",
    "open_store",
    "pending_migrations",
]


def committer_for(url: str) -> PostgresCommitter:
    """Return where group commits on a PostgreSQL server find their transactions."""
    from .committer.committer import PostgresCommitter

    return PostgresCommitter(url)


def clock_for(url: str, host: HostClock) -> HostClock | DatabaseClock:
    """Return the clock that all who use a database share; a file has that of its host."""
    if not url.startswith(("postgresql://", "postgres://")):
        return host
    from .database_clock import DatabaseClock

    return DatabaseClock(url, host)


def install_wait_callback() -> None:
    """Let other greenlets run while one waits for PostgreSQL.

    To be called once, after gevent has patched the process and before the first connection.
    """
    from .postgres import install_wait_callback as install

    install()
