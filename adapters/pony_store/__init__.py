"""The store on SQLite or PostgreSQL, through Pony.

``migrate`` brings a database's schema up to date, ``open_store`` opens it.
"""

from __future__ import annotations

from adapters.pony_store.on_demand import StoreOnDemand
from adapters.pony_store.schema import migrate, pending_migrations
from adapters.pony_store.transactions import PonyTransactions, open_store

__all__ = [
    "PonyTransactions",
    "StoreOnDemand",
    "install_wait_callback",
    "migrate",
    "open_store",
    "pending_migrations",
]


def install_wait_callback() -> None:
    """Let other greenlets run while one waits for PostgreSQL.

    To be called once, after gevent has patched the process and before the first connection.
    """
    from adapters.pony_store.postgres import install_wait_callback as install

    install()
