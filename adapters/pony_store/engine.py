"""What differs between the two databases, as the rest of this package sees it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, ClassVar, Protocol


class Fault(Enum):
    """What an exception of a database driver means to the core."""

    TAKEN = auto()
    """A unique name is in use."""

    BUSY = auto()
    """A race was lost; the transaction is undone and may run again."""

    UNAVAILABLE = auto()
    """The database cannot be reached, or fell silent."""

    REFUSED = auto()
    """This very data is refused, and would be again: by a constraint, or by its kind."""

    FAILED = auto()
    """Anything else, such as a schema that is not up to date."""


class Engine(Protocol):
    """One kind of database.

    Attributes:
        provider: Pony's name of it.
        dialect: SQLAlchemy's name of it, for migrations.
        connections: The most it may have open, whatever the caller asks for.
        row_lock: What ends a SELECT that locks its rows.
        migration_lock: Begins a transaction that only one process can be in.
        driver_error: The root of the driver's exceptions.
    """

    provider: ClassVar[str]
    dialect: ClassVar[str]
    connections: ClassVar[int | None]
    row_lock: ClassVar[str]
    migration_lock: ClassVar[str]
    driver_error: ClassVar[type[Exception]]

    @property
    def address(self) -> tuple[str, ...]:
        """What Pony is bound to beside the pool; never used to connect."""

    def open_connection(self) -> Any:
        """Open a new connection, ready to be used."""

    def is_usable(self, connection: Any) -> bool:
        """Whether an idle connection still has its server, without asking over the network."""

    def without_limits(self) -> Engine:
        """Return the same database, with as much time as a statement needs."""

    def statement(self, sql: str) -> str:
        """Return SQL that marks its values with ``?`` in the driver's own style."""

    def freeze(self, connection: Any) -> None:
        """Make a transaction that has not begun to read see one instant throughout."""

    def fault(self, error: Exception) -> Fault:
        """Tell what one of the driver's exceptions means."""


def engine_for(url: str) -> Engine:
    """Return the engine that a database URL names.

    Each driver is imported only when it is used: psycopg2 is an optional dependency.

    Raises:
        ValueError: Neither SQLite nor PostgreSQL.
    """
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        from .sqlite import SqliteEngine

        return SqliteEngine.from_url(url)
    if scheme in {"postgresql", "postgres"}:
        from .postgres import PostgresEngine

        return PostgresEngine(url)
    raise ValueError(f"a database URL begins with sqlite:// or postgresql://, not {scheme!r}")
