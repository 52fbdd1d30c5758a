"""A store that is opened by its first use."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from contextlib import AbstractContextManager

from creditcore.domain.errors import StoreUnavailableError
from creditcore.ports.metrics import PoolUse

from .transactions import PonyTransaction, PonyTransactions, open_store


class StoreOnDemand:
    """Opens the database with its first transaction, and tries again after a failure.

    So a process starts while the database is away or not migrated yet: its health
    says so, and it serves as soon as it can. There is one attempt at a time, and it is
    no caller's own: one that comes meanwhile waits for it, but not for long.
    """

    def __init__(self, url: str, *, pool_size: int = 5, wait_s: float = 5.0) -> None:
        """Connect to nothing yet.

        Args:
            url: As for ``open_store``.
            pool_size: The most connections to PostgreSQL. SQLite has one.
            wait_s: How long ``begin`` waits for the database to be opened, and then for
                a connection.
        """
        self._url = url
        self._pool_size = pool_size
        self._wait_s = wait_s
        self._store: PonyTransactions | None = None
        self._latest: Future[PonyTransactions] | None = None
        self._start_empty()

    def begin(self) -> AbstractContextManager[PonyTransaction]:
        """Open a transaction.

        Raises:
            RuntimeError: This thread or greenlet has one open already.
            StoreUnavailableError: The database cannot be reached, or did not answer in time.
            StoreError: Its schema is not up to date.
        """
        if self._store is None:
            try:
                self._store = self._attempt().result(self._wait_s)
            except TimeoutError as error:
                raise StoreUnavailableError("The database does not answer.") from error
        return self._store.begin()

    def pool_use(self) -> PoolUse:
        """Return how far its connections are lent; none is before the first transaction."""
        if self._store is None:
            return PoolUse(name="database", taken=0, size=self._pool_size)
        return self._store.pool_use()

    def _attempt(self) -> Future[PonyTransactions]:
        """Return the attempt to open the database: the latest, or if that has failed, a new one."""
        if self._pid != os.getpid():
            # The thread that makes it is the parent's.
            self._start_empty()
        with self._beginning:
            if self._latest is None or (self._latest.done() and self._latest.exception()):
                attempt: Future[PonyTransactions] = Future()
                threading.Thread(
                    target=self._open, args=(attempt,), name="open-store", daemon=True
                ).start()
                self._latest = attempt
            return self._latest

    def _open(self, attempt: Future[PonyTransactions]) -> None:
        try:
            store = open_store(self._url, pool_size=self._pool_size, wait_s=self._wait_s)
        except Exception as error:  # noqa: BLE001 - who waits gets it
            attempt.set_exception(error)
        else:
            attempt.set_result(store)

    def _start_empty(self) -> None:
        self._beginning = threading.Lock()
        self._latest = None
        self._pid = os.getpid()
