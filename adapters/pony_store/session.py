"""What one open transaction does with its connection, in the core's own errors."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

from pony.orm.core import OrmError
from pony.orm.dbapiprovider import DBException

from creditcore.domain.errors import CreditcoreError, ReferenceConflictError

from .engine import Engine
from .faults import translation
from .pool import PoolExhaustedError

VALUES_PER_STATEMENT = 30_000
"""SQLite takes 32,766 values in one statement, unless it was built for more."""


class Session:
    """One open transaction: statements through its connection, and what went wrong in it.

    Attributes:
        db: Whose ``get_connection`` returns the open connection; mostly Pony's database,
            whose entities may be used while the session is open.
        engine: The kind of database.
        failure: The first error that may have left the transaction half done.
    """

    def __init__(self, db: Any, engine: Engine) -> None:
        self.db = db
        self.engine = engine
        self.failure: CreditcoreError | None = None

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """Run a statement and return its rows, with the columns as attributes.

        Args:
            sql: Constant text, with ``?`` for each value.
            values: What stands for them. They never become part of the text.
        """
        with self.translated():
            cursor = self._run(sql, values)
            try:
                row = row_type(tuple(column[0] for column in cursor.description))
                return [row._make(values) for values in cursor.fetchall()]
            finally:
                cursor.close()

    def records(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, whose columns may share a name."""
        with self.translated():
            cursor = self._run(sql, values)
            try:
                return list(cursor.fetchall())
            finally:
                cursor.close()

    def change(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run a statement and return how many rows it wrote."""
        with self.translated():
            cursor = self._run(sql, values)
            try:
                return int(cursor.rowcount)
            finally:
                cursor.close()

    def rows_in(self, sql: str, names: Iterable[object]) -> list[Any]:
        """Run a SELECT whose ``{names}`` is a list of values, in as few statements as fit."""
        return [
            row
            for some in chunks(names, VALUES_PER_STATEMENT)
            for row in self.rows(sql.format(names=marks(len(some))), some)
        ]

    def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
    ) -> None:
        """Insert rows whose first column is their unique name, many at a time.

        Raises:
            ReferenceConflictError: One of the names is taken.
        """
        for some in chunks(rows, VALUES_PER_STATEMENT // len(columns)):
            inserted = self.rows(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {tuples(some)}"
                f" ON CONFLICT DO NOTHING RETURNING {columns[0]}",
                flat(some),
            )
            if len(inserted) < len(some):
                new = {row[0] for row in inserted}
                taken = next(str(row[0]) for row in some if row[0] not in new)
                raise self.failed(ReferenceConflictError(taken))

    @contextmanager
    def translated(self, taken: CreditcoreError | None = None) -> Iterator[None]:
        """Turn the driver's and Pony's exceptions into the core's.

        Args:
            taken: What a unique name that is in use means here.

        Raises:
            ReferenceConflictError: A unique name is in use, unless ``taken`` says otherwise.
            StoreBusyError: A race was lost.
            StoreUnavailableError: The database cannot be reached, or fell silent.
            RefusedByStoreError: This very data is refused.
            StoreError: Anything else the database did.
        """
        try:
            yield
        except (
            OrmError,
            DBException,
            PoolExhaustedError,
            ValueError,
            OverflowError,
            self.engine.driver_error,
        ) as error:
            raise self.failed(translation(error, self.engine, taken=taken)) from error

    def failed(self, error: CreditcoreError) -> CreditcoreError:
        """Note an error after which this transaction must not commit, and return it."""
        self.failure = self.failure or error
        return error

    def _run(self, sql: str, values: Sequence[object]) -> Any:
        cursor = self.db.get_connection().cursor()
        cursor.execute(self.engine.statement(sql), values)
        return cursor


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Split into lists of at most ``size``; nothing gives no list."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


def marks(count: int) -> str:
    """Return the text of so many values: ``?, ?, ?``."""
    return ", ".join(["?"] * count)


def tuples(rows: Sequence[tuple[object, ...]]) -> str:
    """Return the text of rows of values: ``(?, ?), (?, ?)``."""
    return ", ".join([f"({marks(len(rows[0]))})"] * len(rows))


def flat(rows: Iterable[tuple[object, ...]]) -> list[object]:
    """Return the values of rows, one after another."""
    return [value for row in rows for value in row]


@lru_cache(maxsize=256)
def row_type(columns: tuple[str, ...]) -> Any:
    """Return what holds a row with these columns as attributes."""
    return namedtuple("Row", columns)  # noqa: PYI024  (the columns are known at run time only)
