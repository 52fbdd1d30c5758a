"""A store that is opened by whoever needs it first."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from adapters.pony_store.transactions import PonyTransaction, PonyTransactions, open_store


class StoreOnDemand:
    """Opens the database with its first transaction, and tries again after a failure.

    So a process starts while the database is away or not migrated yet: its health
    says so, and it serves as soon as it can.
    """

    def __init__(self, url: str, *, pool_size: int) -> None:
        self._url = url
        self._pool_size = pool_size
        self._opening = threading.Lock()
        self._store: PonyTransactions | None = None

    def begin(self) -> AbstractContextManager[PonyTransaction]:
        """Open a transaction.

        Raises:
            RuntimeError: This thread or greenlet has one open already.
            StoreError: The database cannot be reached, or its schema is not up to date.
        """
        if self._store is None:
            with self._opening:
                if self._store is None:
                    self._store = open_store(self._url, pool_size=self._pool_size)
        return self._store.begin()
