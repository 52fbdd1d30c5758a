"""PostgreSQL: limits of every connection, what its errors mean, waiting under gevent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import psycopg2
from pony.orm.core import Local
from psycopg2 import extensions

from .engine import Fault

STATEMENT_TIMEOUT_MS = 8_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
"""A client that vanished in the middle of a transaction frees its rows after this."""

SILENCE_S = 10.0
"""How long a server may say nothing; above the statement timeout, which answers first."""

AUDIT_TIMEOUT_MS = 600_000
"""An audit reads every row there is. Under gevent ``SILENCE_S`` still bounds each query."""

_CONNECTION: dict[str, str | int] = {
    "connect_timeout": 5,
    # A host that is gone without a word is noticed, though the driver waits in C.
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": int(SILENCE_S * 1000),
    "client_encoding": "UTF8",
    "application_name": "creditcore",
}
_LIMITS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
    f" -c lock_timeout={LOCK_TIMEOUT_MS}"
    f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNIQUE_VIOLATION = "23505"
# The last is a division by zero: so the prepared books say that they are out of date.
_BUSY = {"40001", "40P01", "55P03", "22012"}
_READ_ONLY_TRANSACTION = "25006"
_IDLE_IN_TRANSACTION = "25P03"


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """A PostgreSQL server.

    Attributes:
        url: A libpq connection URL.
        limited: Whether the server ends statements, lock waits and idle transactions
            that take too long. Migrations may take their time.
    """

    url: str
    limited: bool = True
    provider: ClassVar[str] = "postgres"
    dialect: ClassVar[str] = "postgresql+psycopg2"
    connections: ClassVar[int | None] = None
    # Weaker than FOR UPDATE: rows that refer to the wallet may be added meanwhile.
    row_lock: ClassVar[str] = " FOR NO KEY UPDATE"
    # Any number that no other program uses; these are the letters "cred".
    migration_lock: ClassVar[str] = f"SELECT pg_advisory_xact_lock({0x63726564})"
    driver_error: ClassVar[type[Exception]] = psycopg2.Error

    @property
    def address(self) -> tuple[str, ...]:
        """The pool knows it."""
        return ()

    def open_connection(self) -> Any:
        """Connect. The limits travel with the connection, not with each transaction."""
        limits = {"options": _LIMITS} if self.limited else {}
        options: dict[str, Any] = {**_CONNECTION, **limits}
        return psycopg2.connect(self.url, **options)

    def is_usable(self, connection: Any) -> bool:
        """Look at what the server sent while the connection was idle.

        ``poll`` only reads what has arrived. A server that shuts down says farewell
        and then closes: the first reading takes the one, the second meets the other.
        """
        try:
            connection.poll()
            connection.poll()
        except psycopg2.Error:
            return False
        return True

    def without_limits(self) -> PostgresEngine:
        """Return the same server, with as much time as a statement needs."""
        return replace(self, limited=False)

    def statement(self, sql: str) -> str:
        """psycopg2 marks values with ``%s``; our statements contain no other ``?`` or ``%``."""
        return sql.replace("?", "%s")

    def freeze(self, connection: Any) -> None:
        """Read one snapshot; in a transaction that has read already, each statement its own."""
        if connection.status == extensions.STATUS_READY:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                    f" SET LOCAL statement_timeout = {AUDIT_TIMEOUT_MS}"
                )

    def fault(self, error: Exception) -> Fault:
        """Tell by SQLSTATE; an error without one came from the driver or the network."""
        code = getattr(error, "pgcode", None)
        if code == _UNIQUE_VIOLATION:
            return Fault.TAKEN
        if code in _BUSY:
            return Fault.BUSY
        if code in {_READ_ONLY_TRANSACTION, _IDLE_IN_TRANSACTION}:
            return Fault.UNAVAILABLE
        if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
            return Fault.UNAVAILABLE
        if isinstance(error, psycopg2.IntegrityError | psycopg2.DataError):
            return Fault.REFUSED
        return Fault.FAILED


def install_wait_callback(*, silence_s: float = SILENCE_S) -> None:
    """Let other greenlets run while one waits for PostgreSQL.

    psycopg2 waits in C, so that without this one query stops every greenlet of the
    process, and two that want the same row wait for each other for ever. To be called
    once, after gevent has patched the process and before the first connection.
    ``connect_timeout`` has no effect from then on; ``silence_s`` bounds connecting too.

    Raises:
        RuntimeError: Pony was imported before gevent patched the process, so that all
            greenlets would share one session.
    """
    from gevent.socket import wait_read, wait_write

    if not Local.__mro__[1].__module__.startswith("gevent"):
        raise RuntimeError("gevent must patch the process before Pony is imported")

    def wait(connection: Any) -> None:
        while True:
            state = connection.poll()
            if state == extensions.POLL_OK:
                return
            wait_for = wait_read if state == extensions.POLL_READ else wait_write
            wait_for(
                connection.fileno(),
                timeout=silence_s,
                timeout_exc=psycopg2.OperationalError("the database is silent"),
            )

    extensions.set_wait_callback(wait)
