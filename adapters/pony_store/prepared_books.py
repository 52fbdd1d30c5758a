"""The books on PostgreSQL, in two statements that are planned once per connection.

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
from creditcore.domain.errors import (
    ReferenceConflictError,
    RefusedByStoreError,
    StoreBusyError,
)
from creditcore.domain.ledger import Books

# One statement reads one snapshot, which is older than the locks it waited for. That does
# for keys: a key that was revoked before a call came is not in it. It does not for holds,
# so that only their names are looked for here; those that exist are read afterwards.
_LOCK = f"""
    WITH named AS MATERIALIZED (
        SELECT {", ".join(KEY_COLUMNS)} FROM virtual_keys WHERE key_hash = ANY ($1)
    )
    SELECT {", ".join(f"w.{column}" for column in WALLET_COLUMNS)},
           {", ".join(f"named.{column}" for column in KEY_COLUMNS)},
           ARRAY (SELECT id FROM usage_logs WHERE id = ANY ($3))
    FROM wallets AS w LEFT JOIN named ON named.wallet_id = w.id
    WHERE w.id IN (SELECT wallet_id FROM named UNION ALL SELECT unnest($2))
    ORDER BY w.id
    FOR NO KEY UPDATE OF w
"""
_WRITE = f"""
    WITH opened AS (
        INSERT INTO usage_logs ({", ".join(HOLD_COLUMNS)})
        SELECT {", ".join(HOLD_COLUMNS)} FROM json_populate_recordset(NULL::usage_logs, $1)
        ON CONFLICT DO NOTHING
        RETURNING 1
    ), changed AS (
        UPDATE usage_logs
        SET {", ".join(f"{column} = v.{column}" for column in CHANGED_COLUMNS)}
        FROM json_to_recordset($2) AS v (
            {", ".join(f"{column} {sql_type}" for column, sql_type in CHANGE_COLUMNS.items())}
        )
        WHERE usage_logs.id = v.id
          AND usage_logs.state = v.read_state
          AND usage_logs.hold_amount = v.read_amount
          AND usage_logs.written_off = v.read_written_off
        RETURNING 1
    ), moved AS (
        INSERT INTO transfers ({", ".join(TRANSFER_COLUMNS)})
        SELECT {", ".join(TRANSFER_COLUMNS)} FROM json_populate_recordset(NULL::transfers, $3)
        ON CONFLICT DO NOTHING
        RETURNING 1
    ), posted AS (
        UPDATE wallets
        SET posted = v.posted, held = v.held
        FROM json_populate_recordset(NULL::wallets, $4) AS v
        WHERE wallets.id = v.id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM opened), (SELECT count(*) FROM changed),
           (SELECT count(*) FROM moved), (SELECT count(*) FROM posted)
"""
PREPARATION = f"""
    -- A plan that was made while a table was small would read all of it when it is large.
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET jit = off;
    PREPARE lock_books (bytea[], text[], text[]) AS {_LOCK};
    PREPARE write_books (json, json, json, json) AS {_WRITE}
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

    def lock(
        self,
        *,
        key_hashes: Collection[bytes] = (),
        wallet_ids: Collection[str] = (),
        hold_references: Collection[str] = (),
        transfer_references: Collection[str] = (),
    ) -> Books:
        """Begin, lock wallets in the order of their ids, and read what belongs to them."""
        rows = self._session.records(
            "BEGIN; EXECUTE lock_books (?, ?, ?)",
            (list(key_hashes), list(wallet_ids), list(hold_references)),
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
        """Write what changed in books that ``lock`` returned.

        Raises:
            ReferenceConflictError: A transfer's reference is taken.
            StoreBusyError: A hold or wallet is not as the books had it.
        """
        documents = (
            [_record(HOLD_COLUMNS, hold_values(hold)) for _, hold in by_name(books.new_holds)],
            [
                _record(CHANGE_COLUMNS, change_values(*change))
                for _, change in by_name(books.changed_holds)
            ],
            [
                _record(TRANSFER_COLUMNS, values)
                for values in sorted(map(transfer_values, books.new_transfers))
            ],
            [
                _record(WALLET_COLUMNS, wallet_values(wallet))
                for _, wallet in by_name(books.changed_wallets)
            ],
        )
        if any(documents):
            self._write(documents)
        PonyAlerts(self._session).add_all(books.new_alerts)

    def _write(self, documents: Sequence[Sequence[dict[str, object]]]) -> None:
        session = self._session
        try:
            values = [orjson.dumps(document).decode() for document in documents]
        except TypeError as error:
            # A number beyond 64 bits, or half a character.
            raise session.failed(
                RefusedByStoreError(f"The database would refuse this: {error}")
            ) from error
        [written] = session.records("EXECUTE write_books (?, ?, ?, ?)", values)
        opened, changed, moved, posted = (
            count == len(document) for count, document in zip(written, documents, strict=True)
        )
        if not (opened and changed and posted):
            raise session.failed(
                StoreBusyError("Something was changed by somebody else; nothing was written.")
            )
        if not moved:
            raise session.failed(ReferenceConflictError("a transfer of this transaction"))

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
