"""Wallets, holds and transfers: the hot path, in few statements of plain SQL.

One transaction serves many calls at once, so everything here reads and writes many
rows in one statement. Wallets are always locked first, in the order of their ids, and
rows of the other tables written in the order of their keys, so that two transactions
never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from creditcore.domain.books import Books, Footprint, counters_read
from creditcore.domain.errors import StoreBusyError, WalletNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Transfer, Wallet

from ..instants import micros
from ..session import (
    VALUES_PER_STATEMENT,
    Session,
    chunks,
    flat,
    marks,
    tuples,
)
from .alerts import PonyAlerts
from .holds import (
    CHANGE_COLUMNS,
    CHANGED_COLUMNS,
    HOLD_COLUMNS,
    change_values,
    hold_from_row,
    hold_values,
)
from .key_counters import (
    COUNT_COLUMNS,
    SELECT_COUNTERS,
    UPDATE_COUNTERS,
    count_values,
    counter_from_row,
)
from .keys import KEY_COLUMNS, key_from_row
from .transfers import (
    TRANSFER_COLUMNS,
    transfer_from_row,
    transfer_values,
)
from .wallets import WALLET_COLUMNS, wallet_from_row, wallet_values

SELECT_HOLDS = f"SELECT {', '.join(HOLD_COLUMNS)} FROM usage_logs"
_SELECT_WALLETS = f"SELECT {', '.join(WALLET_COLUMNS)} FROM wallets"
SELECT_TRANSFERS = f"SELECT {', '.join(TRANSFER_COLUMNS)} FROM transfers"
_SELECT_KEYS = f"SELECT {', '.join(KEY_COLUMNS)} FROM virtual_keys"

# Columns of VALUES are called column1, column2, ... on both databases.
_CHANGE = {
    name: f"CAST(v.column{number} AS {sql_type})"
    for number, (name, sql_type) in enumerate(CHANGE_COLUMNS.items(), start=1)
}
_CHANGE_HOLDS = f"""
    UPDATE usage_logs
    SET {", ".join(f"{column} = {_CHANGE[column]}" for column in CHANGED_COLUMNS)}
    FROM (VALUES {{rows}}) AS v
    WHERE usage_logs.id = v.column1
      AND usage_logs.state = {_CHANGE["read_state"]}
      AND usage_logs.hold_amount = {_CHANGE["read_amount"]}
      AND usage_logs.written_off = {_CHANGE["read_written_off"]}
"""
_UPDATE_COUNTERS = UPDATE_COUNTERS.format(
    source="(VALUES {rows}) AS v",
    **{
        name: f"CAST(v.column{number} AS {sql_type})"
        for number, (name, sql_type) in enumerate(COUNT_COLUMNS.items(), start=1)
    },
)
_UPDATE_WALLETS = """
    UPDATE wallets
    SET posted = CAST(v.column2 AS BIGINT), held = CAST(v.column3 AS BIGINT),
        owed = CAST(v.column4 AS BIGINT)
    FROM (VALUES {rows}) AS v
    WHERE wallets.id = v.column1
"""


_EARLIER = " AND (at, reference) < (?, ?)"
_Value = TypeVar("_Value")


class PonyLedger:
    """Every credit movement, read and appended to inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_wallet(self, wallet: Wallet) -> None:
        wallet.require_empty()
        self._session.insert("wallets", WALLET_COLUMNS, [wallet_values(wallet)])

    def find_wallet(self, wallet_id: str) -> Wallet:
        return self._wallet("id", wallet_id)

    def find_wallet_of(self, owner_id: str) -> Wallet:
        return self._wallet("owner_id", owner_id)

    def find_wallets_of(self, owner_ids: Collection[str]) -> Mapping[str, Wallet]:
        rows = self._session.rows_in(f"{_SELECT_WALLETS} WHERE owner_id IN ({{names}})", owner_ids)
        return {row.owner_id: wallet_from_row(row) for row in rows}

    def lock(self, footprint: Footprint) -> Books:
        """Lock wallets in the order of their ids, then read what belongs to them.

        PostgreSQL reads each statement's own snapshot (READ COMMITTED), so what is read
        after the locks were granted is what the last holder of the locks committed.
        """
        wallets = self._lock_wallets(footprint.key_hashes, footprint.wallet_ids)
        read = self._session.rows_in
        keys = read(f"{_SELECT_KEYS} WHERE key_hash IN ({{names}})", footprint.key_hashes)
        names = {*footprint.hold_references, *footprint.new_references}
        holds = read(f"{SELECT_HOLDS} WHERE id IN ({{names}})", names)
        transfers = read(
            f"{SELECT_TRANSFERS} WHERE reference IN ({{names}})", footprint.transfer_references
        )
        found_keys = [key_from_row(row) for row in keys]
        found_holds = [hold_from_row(row) for row in holds]
        counted = counters_read(footprint, found_keys, found_holds)
        counters = read(f"{SELECT_COUNTERS} WHERE id IN ({{names}})", counted)
        return Books(
            keys={key.key_hash: key for key in found_keys},
            wallets={wallet.id: wallet for wallet in wallets},
            holds={hold.reference: hold for hold in found_holds},
            counters={row.id: counter_from_row(row) for row in counters},
            transfers={
                transfer.reference: transfer for transfer in map(transfer_from_row, transfers)
            },
        )

    def write(self, books: Books) -> None:
        """Write what changed in books that ``lock`` returned.

        Raises:
            ReferenceConflictError: A hold's or transfer's reference is taken.
            StoreBusyError: A hold or wallet is not as the books were read.
        """
        session = self._session
        session.insert(
            "usage_logs", HOLD_COLUMNS, (hold_values(hold) for _, hold in by_name(books.new_holds))
        )
        self._update_each(
            _CHANGE_HOLDS,
            [change_values(*change) for _, change in by_name(books.changed_holds)],
        )
        session.insert(
            "transfers",
            TRANSFER_COLUMNS,
            sorted(transfer_values(transfer) for transfer in books.new_transfers),
        )
        self._update_each(
            _UPDATE_WALLETS,
            [
                (
                    name,
                    wallet.posted.microcredits,
                    wallet.held.microcredits,
                    wallet.owed.microcredits,
                )
                for name, wallet in by_name(books.changed_wallets)
            ],
        )
        self._update_each(
            _UPDATE_COUNTERS,
            [count_values(*change) for _, change in by_name(books.changed_counters)],
        )
        PonyAlerts(session).add_all(books.new_alerts)

    def expired_holds(self, *, now: datetime, limit: int) -> Sequence[Hold]:
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE state = 'open' AND expires_at <= ?"
            " ORDER BY expires_at, id LIMIT ?",
            (micros(now), limit),
        )
        return [hold_from_row(row) for row in rows]

    def transfers_of(
        self, wallet_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        # The words of the partial index, so that a wallet with millions of calls is quick.
        earlier, start = ("", ()) if before is None else (_EARLIER, (micros(before[0]), before[1]))
        rows = self._session.rows(
            f"{SELECT_TRANSFERS} WHERE wallet_id = ? AND kind NOT IN ('charge', 'write_off')"
            f"{earlier} ORDER BY at DESC, reference DESC LIMIT ?",
            (wallet_id, *start, limit),
        )
        return [transfer_from_row(row) for row in rows]

    def _wallet(self, column: str, name: str) -> Wallet:
        rows = self._session.rows(f"{_SELECT_WALLETS} WHERE {column} = ?", (name,))
        if not rows:
            raise WalletNotFoundError(name)
        return wallet_from_row(rows[0])

    def _lock_wallets(
        self, key_hashes: Collection[bytes], wallet_ids: Collection[str]
    ) -> list[Wallet]:
        # One statement, never split: only so are all rows locked in one order.
        wanted = []
        if key_hashes:
            hashes = marks(len(key_hashes))
            wanted.append(f"SELECT wallet_id FROM virtual_keys WHERE key_hash IN ({hashes})")
        if wallet_ids:
            wanted.append(f"VALUES {tuples([(wallet_id,) for wallet_id in wallet_ids])}")
        if not wanted:
            return []
        rows = self._session.rows(
            f"{_SELECT_WALLETS} WHERE id IN ({' UNION ALL '.join(wanted)})"
            f" ORDER BY id{self._session.engine.row_lock}",
            (*key_hashes, *wallet_ids),
        )
        return [wallet_from_row(row) for row in rows]

    def _update_each(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        for some in chunks(rows, VALUES_PER_STATEMENT // len(rows[0])):
            if self._session.change(sql.format(rows=tuples(some)), flat(some)) != len(some):
                raise self._session.failed(
                    StoreBusyError("Another transaction changed something; nothing was written.")
                )


def by_name(changed: dict[str, _Value]) -> Iterable[tuple[str, _Value]]:
    """Return what changed in the order in which rows are written."""
    return sorted(changed.items(), key=itemgetter(0))
