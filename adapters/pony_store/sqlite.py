"""SQLite: one file, one process, one connection."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from .engine import Fault

BUSY_WAIT_MS = 5_000
"""How long another process may keep the file locked. Waiting stops the whole process."""

MIGRATION_WAIT_MS = 600_000
"""The same for a process that migrates, which another one may have begun to do."""

_PRIMARY_CODE = 0xFF
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_TAKEN = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
_UNAVAILABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """A database file.

    Every transaction takes the file's write lock at its beginning, so they come one
    after another, and one connection serves them all.
    """

    path: str
    is_patient: bool = False
    provider: ClassVar[str] = "sqlite"
    dialect: ClassVar[str] = "sqlite"
    connections: ClassVar[int | None] = 1
    row_lock: ClassVar[str] = ""
    migration_lock: ClassVar[str] = "BEGIN IMMEDIATE"
    driver_error: ClassVar[type[Exception]] = sqlite3.Error

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

        Raises:
            ValueError: It names no file. A database in memory would be lost with its connection.
        """
        path = url.removeprefix("sqlite:///")
        if path in {url, "", ":memory:"}:
            raise ValueError("a SQLite URL names a file, as in sqlite:////var/lib/credits.db")
        return cls(path)

    @property
    def address(self) -> tuple[str, ...]:
        """The file, for Pony to know."""
        return (self.path,)

    def open_connection(self) -> sqlite3.Connection:
        """Open the file, and create it if it is missing.

        The pool hands a connection to one thread at a time, so it may change threads.
        """
        wait_ms = MIGRATION_WAIT_MS if self.is_patient else BUSY_WAIT_MS
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=wait_ms / 1000
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL would lose acknowledged commits when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def is_usable(self, connection: sqlite3.Connection) -> bool:  # noqa: ARG002
        """An open file stays usable."""
        return True

    def without_limits(self) -> Self:
        """Return the same file, for whose lock another process's migration is waited for."""
        return replace(self, is_patient=True)

    def statement(self, sql: str) -> str:
        """``?`` is SQLite's own style."""
        return sql

    def freeze(self, connection: sqlite3.Connection) -> None:
        """No other transaction can write while this one is open."""

    def fault(self, error: Exception) -> Fault:
        """Tell by the result code (https://www.sqlite.org/rescode.html)."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code in _TAKEN:
            return Fault.TAKEN
        if code & _PRIMARY_CODE in _BUSY:
            return Fault.BUSY
        if code & _PRIMARY_CODE in _UNAVAILABLE:
            return Fault.UNAVAILABLE
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
            return Fault.REFUSED
        return Fault.FAILED
