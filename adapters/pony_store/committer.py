"""The committer's own connection to PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions

from adapters.pony_store.engine import Fault
from adapters.pony_store.postgres import PostgresEngine
from adapters.pony_store.prepared_books import PREPARATION, PreparedBooks
from adapters.pony_store.session import Session
from creditcore.domain.errors import StoreBusyError, StoreUnavailableError


class CommitterTransaction:
    """One open transaction on the books."""

    def __init__(self, session: Session, connection: Any) -> None:
        self._session = session
        self._connection = connection
        self.ledger = PreparedBooks(session)

    def commit(self) -> None:
        """Make everything in this transaction durable.

        Raises:
            CreditcoreError: What went wrong before, which must not be committed half done.
            StoreBusyError: A race was lost; nothing happened.
            StoreUnavailableError: The outcome is unknown.
        """
        if self._session.failure is not None:
            raise self._session.failure
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("COMMIT")
        except psycopg2.Error as error:
            if self._session.engine.fault(error) is Fault.BUSY:
                raise StoreBusyError("The database was busy; nothing was changed.") from error
            # The commit was on its way: whether it arrived, nobody can say.
            raise StoreUnavailableError("The database does not answer.") from error


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
            session = Session(self, self._engine)
            with session.translated():
                connection = self.get_connection()
            try:
                yield CommitterTransaction(session, connection)
            finally:
                self._leave(connection)
        finally:
            self._turn.release()

    def get_connection(self) -> Any:
        """Return the connection, open and prepared. For the transaction that is open."""
        connection = self._connection
        if connection is not None and not self._engine.is_usable(connection):
            connection.close()
            connection = self._connection = None
        if connection is None:
            connection = self._engine.open_connection()
            try:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(PREPARATION)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return connection

    def close(self) -> None:
        """Close the connection. The next transaction opens another."""
        with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _leave(self, connection: Any) -> None:
        """Undo what was not committed; keep the connection only if that is sure."""
        if connection.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE:
            return
        try:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except psycopg2.Error:
            self._connection = None
            connection.close()
        except BaseException:
            self._connection = None
            connection.close()
            raise

    def _start_empty(self) -> None:
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._connection = None
