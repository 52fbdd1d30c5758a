"""The books on PostgreSQL, in statements that are planned once per connection.

What a money step costs a database is mostly being asked: each statement is a round trip,
and planning it takes longer than running it (docs/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from adapters.pony_store.alerts import PonyAlerts
from adapters.pony_store.ledger import SELECT_HOLDS, SELECT_TRANSFERS, by_name
from adapters.pony_store.mapping import (
    CHANGE_COLUMNS,
    CHANGED_COLUMNS,
    HOLD_COLUMNS,
    KEY_COLUMNS,
    TRANSFER_COLUMNS,
    WALLET_COLUMNS,
    change_values,
    hold_from_row,
    hold_values,
    key_from_row,
    transfer_from_row,
    transfer_values,
    wallet_from_row,
    wallet_values,
)
from adapters.pony_store.session import Session, row_type
from creditcore.domain.errors import RefusedByStoreError
from creditcore.domain.ledger import Books

# A statement reads a snapshot from before it waited for locks. So one takes the locks, and
# the next, which is sent along, reads what the last holder of the locks committed.
#
# Every table is reached by a list of names, never by a join alone: a plan that was made
# while it was nearly empty would join by reading all of it, and be kept when it has grown.
_WALLETS = """
    id = ANY (ARRAY (SELECT wallet_id FROM virtual_keys WHERE key_hash = ANY ($1)) || $2)
"""
_LOCK = f"SELECT 1 FROM wallets WHERE {_WALLETS} ORDER BY id FOR NO KEY UPDATE"
# Of holds only the names: most that are asked for are new.
_READ = f"""
    SELECT {", ".join(f"w.{column}" for column in WALLET_COLUMNS)},
           {", ".join(f"k.{column}" for column in KEY_COLUMNS)},
           ARRAY (SELECT id FROM usage_logs WHERE id = ANY ($3))
    FROM (SELECT * FROM wallets WHERE {_WALLETS}) AS w
    LEFT JOIN (SELECT * FROM virtual_keys WHERE key_hash = ANY ($1)) AS k ON k.wallet_id = w.id
"""
# Dividing by zero is how plain SQL says that something is not as the books had it. The
# COMMIT that is sent along is not reached then.
_WRITE = f"""
    WITH opened AS (
        INSERT INTO usage_logs ({", ".join(HOLD_COLUMNS)})
        SELECT {", ".join(HOLD_COLUMNS)} FROM json_populate_recordset(NULL::usage_logs, $1)
        ON CONFLICT DO NOTHING
        RETURNING 1
    ), changed AS (
        UPDATE usage_logs
        SET {", ".join(f"{column} = v.{column}" for column in CHANGED_COLUMNS)}
        FROM json_to_recordset($3) AS v (
            {", ".join(f"{column} {sql_type}" for column, sql_type in CHANGE_COLUMNS.items())}
        )
        WHERE usage_logs.id = ANY ($2)
          AND usage_logs.id = v.id
          AND usage_logs.state = v.read_state
          AND usage_logs.hold_amount = v.read_amount
          AND usage_logs.written_off = v.read_written_off
        RETURNING 1
    ), moved AS (
        INSERT INTO transfers ({", ".join(TRANSFER_COLUMNS)})
        SELECT {", ".join(TRANSFER_COLUMNS)} FROM json_populate_recordset(NULL::transfers, $4)
        RETURNING 1
    ), posted AS (
        UPDATE wallets
        SET posted = v.posted, held = v.held
        FROM json_populate_recordset(NULL::wallets, $6) AS v
        WHERE wallets.id = ANY ($5)
          AND wallets.id = v.id
        RETURNING 1
    )
    SELECT 1 / (
        (SELECT count(*) FROM opened) = json_array_length($1)
        AND (SELECT count(*) FROM changed) = cardinality($2)
        AND (SELECT count(*) FROM posted) = cardinality($5)
    )::int
"""
PREPARATION = f"""
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET jit = off;
    PREPARE lock_books (bytea[], text[]) AS {_LOCK};
    PREPARE read_books (bytea[], text[], text[]) AS {_READ};
    PREPARE write_books (json, text[], json, json, text[], json) AS {_WRITE}
"""
"""What a connection needs before the books can be locked and written on it."""

_WalletRow: Any = row_type(WALLET_COLUMNS)
_KeyRow: Any = row_type(KEY_COLUMNS)


class PreparedBooks:
    """Lock and read, then write: one transaction's books.

    Args:
        session: Over a connection on which ``PREPARATION`` has been run, and on which no
            transaction is open: ``lock`` begins one.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._written: Sequence[object] = ("[]", [], "[]", "[]", [], "[]")

    def lock(
        self,
        *,
        key_hashes: Collection[bytes] = (),
        wallet_ids: Collection[str] = (),
        hold_references: Collection[str] = (),
        transfer_references: Collection[str] = (),
    ) -> Books:
        """Begin, lock wallets in the order of their ids, and read what belongs to them."""
        hashes, ids = list(key_hashes), list(wallet_ids)
        rows = self._session.records(
            "BEGIN; EXECUTE lock_books (?, ?); EXECUTE read_books (?, ?, ?)",
            (hashes, ids, hashes, ids, list(hold_references)),
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
        self._read_holds(books, rows[0][-1] if rows else hold_references)
        self._read_transfers(books, transfer_references)
        return books

    def write(self, books: Books) -> None:
        """Write what changed in books that ``lock`` returned; it is sent with ``commit``."""
        new_holds = [
            _record(HOLD_COLUMNS, hold_values(hold)) for _, hold in by_name(books.new_holds)
        ]
        changes = [
            _record(CHANGE_COLUMNS, change_values(*change))
            for _, change in by_name(books.changed_holds)
        ]
        transfers = [
            _record(TRANSFER_COLUMNS, values)
            for values in sorted(map(transfer_values, books.new_transfers))
        ]
        wallets = [
            _record(WALLET_COLUMNS, wallet_values(wallet))
            for _, wallet in by_name(books.changed_wallets)
        ]
        PonyAlerts(self._session).add_all(books.new_alerts)
        try:
            self._written = (
                _json(new_holds),
                list(books.changed_holds),
                _json(changes),
                _json(transfers),
                list(books.changed_wallets),
                _json(wallets),
            )
        except TypeError as error:
            # A number beyond 64 bits, or half a character.
            raise self._session.failed(
                RefusedByStoreError(f"The database would refuse this: {error}")
            ) from error

    def commit(self) -> None:
        """Make what was written durable.

        Raises:
            ReferenceConflictError: A transfer's reference is taken; nothing was written.
            StoreBusyError: Something is not as the books had it; nothing was written.
            StoreUnavailableError: The outcome is unknown.
        """
        if self._session.failure is not None:
            raise self._session.failure
        self._session.change("EXECUTE write_books (?, ?, ?, ?, ?, ?); COMMIT", self._written)

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


def _record(columns: Iterable[str], values: Iterable[object]) -> dict[str, object]:
    return dict(zip(columns, values, strict=True))


def _json(records: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(records).decode()
