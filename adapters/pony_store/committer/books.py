"""The books on PostgreSQL, with as few round trips as there can be.

What a money step costs a database is mostly being asked: each statement is a round trip,
and planning it takes longer than running it (docs/decisions/0006). What need not be read
saves another one (docs/decisions/0007).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson

from creditcore.domain.books import Books, Footprint, counters_read
from creditcore.domain.errors import RefusedByStoreError, StoreBusyError
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter

from ..session import Session, row_type
from ..tables.alerts import ALERT_COLUMNS, alert_values
from ..tables.holds import (
    change_document,
    hold_document,
    hold_from_row,
    opening_document,
)
from ..tables.key_counters import count_document, counter_from_row
from ..tables.keys import KEY_COLUMNS, key_from_row, term_document
from ..tables.ledger import SELECT_HOLDS, SELECT_TRANSFERS, by_name
from ..tables.transfers import transfer_document, transfer_from_row
from ..tables.wallets import (
    WALLET_COLUMNS,
    balance_document,
    wallet_from_row,
    wallet_values,
)
from .arrays import bytea_array, text_array
from .cache import Remembered
from .statements import (
    LOCK,
    LOCK_WALLETS,
    PROVE,
    RAISE,
    READ,
    READ_COUNTERS,
    WRITE,
    WRITE_CLOSED,
    WRITE_WITH_COUNTERS,
)

_reference = attrgetter("reference")
_WalletRow: Any = row_type(WALLET_COLUMNS)
_KeyRow: Any = row_type(KEY_COLUMNS)


class PreparedBooks:
    """Lock and read, then write: one transaction's books.

    Where all that is asked for is remembered, nothing is sent before ``commit``: that
    locks, proves and writes in one round trip.

    Args:
        session: Over a connection on which ``PREPARATION`` has been run, and on which no
            transaction is open: this one begins here.
        remembered: What the transactions before it left. Of the transaction whose turn it is.
    """

    def __init__(self, session: Session, remembered: Remembered) -> None:
        self._session = session
        self._remembered = remembered
        self._locked: Books | None = None
        self._is_recalled = False
        self._written = Books()
        self._new_references: Collection[str] = ()

    def lock(self, footprint: Footprint) -> Books:
        if self._locked is not None:
            raise RuntimeError(
                "A transaction locks once: what it recalled first would go unproved."
            )
        if not (footprint.hold_references or footprint.transfer_references):
            self._locked = self._remembered.recall(footprint)
        if self._locked is not None:
            self._is_recalled, self._new_references = True, footprint.new_references
            return _copy(self._locked)
        hashes, ids = bytea_array(footprint.key_hashes), text_array(footprint.wallet_ids)
        names = [*footprint.hold_references, *footprint.new_references]
        rows = self._session.records(
            f"BEGIN; {LOCK}; {READ}", (hashes, ids, hashes, ids, text_array(names))
        )
        books = Books()
        keys = {}
        for row in rows:
            wallet = wallet_from_row(_WalletRow._make(row[: len(WALLET_COLUMNS)]))
            books.wallets[wallet.id] = wallet
            key_row = _KeyRow._make(row[len(WALLET_COLUMNS) : -1])
            if key_row.id is not None:
                key = key_from_row(key_row)
                keys[key.key_hash] = key
        books.keys = keys
        # Without a wallet there is no row to tell which holds exist.
        self._read_holds(books, rows[0][-1] if rows else names)
        self._read_transfers(books, footprint.transfer_references)
        self._read_counters(books, footprint)
        self._remembered.found(books)
        self._locked = _copy(books)
        return books

    def write(self, books: Books) -> None:
        """Write what changed in books that ``lock`` returned; it is sent with ``commit``."""
        self._written = books

    def commit(self) -> None:
        """Make what was written durable.

        Raises:
            ReferenceConflictError: A transfer's reference is taken; nothing was written.
            RefusedByStoreError: The database cannot hold this; nothing was written.
            StoreBusyError: Something is not as the books had it; nothing was written.
            StoreUnavailableError: The outcome is unknown.
        """
        if self._session.failure is not None:
            raise self._session.failure
        try:
            steps = list(self._steps())
            self._session.change(
                "; ".join(sql for sql, _ in steps),
                [value for _, values in steps for value in values],
            )
        except BaseException as error:
            self._remembered.forget(self._locked or Books())
            if _is_name_of_hold(error.__cause__):
                raise StoreBusyError("Another transaction made one of these holds.") from error
            raise
        self._remembered.left(self._written)

    def _steps(self) -> Iterator[tuple[str, Sequence[object]]]:
        """Yield the statements that end the transaction, each with its values."""
        read, books = self._locked or Books(), self._written
        if self._is_recalled:
            yield f"BEGIN; {LOCK_WALLETS}", [text_array(read.wallets)]
        try:
            if books.new_alerts:
                yield RAISE, [_rows(ALERT_COLUMNS, sorted(map(alert_values, books.new_alerts)))]
            if closed := [hold for _, hold in by_name(books.new_holds) if not hold.is_open]:
                yield WRITE_CLOSED, [_document(map(hold_document, closed))]
            if self._is_recalled and (to_prove := self._beside_what_is_written(read, books)):
                yield PROVE, to_prove
            values = _to_write(read, books, keys=read.keys if self._is_recalled else {})
            # Where they were recalled, those that stay as they are have to be proved as well.
            recalled = read.counters.values() if self._is_recalled else ()
            counters = {counter.id: (counter, counter) for counter in recalled}
            if counters := counters | books.changed_counters:
                yield WRITE_WITH_COUNTERS, [*values, *_counts(counters)]
            else:
                yield WRITE, values
        except TypeError as error:
            # A number beyond 64 bits, or half a character.
            raise self._session.failed(
                RefusedByStoreError(f"The database would refuse this: {error}")
            ) from error
        yield "COMMIT", []

    def _beside_what_is_written(self, read: Books, books: Books) -> list[object]:
        """Return what stays as it is and has to be proved, or nothing."""
        wallets = [
            wallet for name, wallet in read.wallets.items() if name not in books.changed_wallets
        ]
        absent = [name for name in self._new_references if name not in books.new_holds]
        if not (wallets or absent):
            return []
        return [
            text_array(wallet.id for wallet in wallets),
            _rows(WALLET_COLUMNS, map(wallet_values, wallets)),
            text_array(absent),
        ]

    def _read_holds(self, books: Books, references: Iterable[str]) -> None:
        rows = self._session.rows_in(f"{SELECT_HOLDS} WHERE id IN ({{names}})", references)
        for hold in map(hold_from_row, rows):
            books.holds[hold.reference] = hold

    def _read_transfers(self, books: Books, references: Iterable[str]) -> None:
        rows = self._session.rows_in(
            f"{SELECT_TRANSFERS} WHERE reference IN ({{names}})", references
        )
        for transfer in map(transfer_from_row, rows):
            books.transfers[transfer.reference] = transfer

    def _read_counters(self, books: Books, footprint: Footprint) -> None:
        counted = counters_read(footprint, books.keys.values(), books.holds.values())
        if counted:
            rows = self._session.rows(READ_COUNTERS, (text_array(counted),))
            books.counters = {row.id: counter_from_row(row) for row in rows}


def _is_name_of_hold(cause: BaseException | None) -> bool:
    """Whether PostgreSQL refused the name of a hold that exists: it can be read instead."""
    diagnostics = getattr(cause, "diag", None)
    return getattr(diagnostics, "constraint_name", None) == "usage_logs_pkey"


def _copy(books: Books) -> Books:
    """Return what was read, apart from what decisions will change."""
    return Books(keys=books.keys, wallets=dict(books.wallets), counters=dict(books.counters))


def _counts(changed: dict[str, tuple[KeyCounter, KeyCounter]]) -> list[object]:
    return [
        text_array(changed),
        _document(count_document(*change) for _, change in by_name(changed)),
    ]


def _to_write(read: Books, books: Books, *, keys: Mapping[bytes, ApiKey]) -> list[object]:
    return [
        _document(opening_document(hold) for _, hold in by_name(books.new_holds) if hold.is_open),
        text_array(books.changed_holds),
        _document(change_document(*change) for _, change in by_name(books.changed_holds)),
        _document(map(transfer_document, sorted(books.new_transfers, key=_reference))),
        text_array(books.changed_wallets),
        _document(
            balance_document(read.wallets[name], wallet)
            for name, wallet in by_name(books.changed_wallets)
        ),
        bytea_array(keys),
        _document(map(term_document, keys.values())),
    ]


def _rows(columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> str:
    return _document(dict(zip(columns, row, strict=True)) for row in rows)


def _document(rows: Iterable[dict[str, object]]) -> str:
    return orjson.dumps(list(rows)).decode()
