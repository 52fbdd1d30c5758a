"""The committer's own connection to PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions

from creditcore.domain.errors import StoreUnavailableError

from ..faults import translation
from ..postgres import PostgresEngine
from ..session import Session
from .books import PreparedBooks
from .cache import Remembered
from .statements import PREPARATION


class CommitterTransaction:
    """One open transaction on the books."""

    def __init__(self, connection: Any, engine: PostgresEngine, remembered: Remembered) -> None:
        self.connection = connection
        self.ledger = PreparedBooks(Session(self, engine), remembered)
        self.commit = self.ledger.commit

    def get_connection(self) -> Any:
        """Return the connection that this transaction began on, alive or not."""
        return self.connection


class PostgresCommitter:
    """Transactions on the books, one after another, over one connection.

    It connects with the first transaction, and anew after a failure, so that a process
    starts while the database is away. Statements are prepared on the connection: where a
    pooler stands before the server, it has to pool sessions, not transactions.
    """

    def __init__(self, url: str, *, wait_s: float = 5.0) -> None:
        """Connect to nothing yet.

        Args:
            url: ``postgresql://...``.
            wait_s: How long ``begin`` waits for its turn.
        """
        self._engine = PostgresEngine(url)
        self._wait_s = wait_s
        self._inherited: list[Any] = []
        self._connection: Any = None
        self._start_empty()

    @contextmanager
    def begin(self) -> Iterator[CommitterTransaction]:
        """Open a transaction; leaving it forgets everything that was not committed.

        Raises:
            StoreUnavailableError: The database cannot be reached.
            StoreError: Its schema is not up to date.
        """
        if self._pid != os.getpid():
            # Neither used nor closed: the parent still uses it.
            self._inherited.append(self._connection)
            self._start_empty()
        if not self._turn.acquire(timeout=self._wait_s):
            raise StoreUnavailableError("The database does not answer.")
        try:
            connection = self._connected()
            try:
                yield CommitterTransaction(connection, self._engine, self._remembered)
            finally:
                self._leave(connection)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection. The next transaction opens another."""
        with self._turn:
            self._drop()

    def _connected(self) -> Any:
        """Return the connection, alive and prepared."""
        if self._connection is not None and not self._engine.is_usable(self._connection):
            self._drop()
        if self._connection is None:
            try:
                self._connection = self._open()
            except psycopg2.Error as error:
                raise translation(error, self._engine) from error
        return self._connection

    def _open(self) -> Any:
        connection = self._engine.open_connection()
        try:
            # BEGIN and COMMIT travel with the statements.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(PREPARATION)
        except BaseException:
            connection.close()
            raise
        return connection

    def _leave(self, connection: Any) -> None:
        """Undo what was not committed; keep the connection only if that is sure."""
        if connection.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE:
            return
        try:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except psycopg2.Error:
            self._drop()
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _start_empty(self) -> None:
        self._turn = threading.Lock()
        self._connection = None
        self._remembered = Remembered()
        self._pid = os.getpid()
