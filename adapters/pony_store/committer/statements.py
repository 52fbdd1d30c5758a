"""What the committer asks PostgreSQL, planned once per connection.

Every table is reached by a list of names, never by a join alone: a plan that was made while
it was nearly empty would join by reading all of it, and be kept when it has grown.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..tables.alerts import ALERT_COLUMNS
from ..tables.holds import (
    CHANGE_COLUMNS,
    CHANGED_COLUMNS,
    HOLD_COLUMNS,
    OPEN,
    OPENING_COLUMNS,
)
from ..tables.key_counters import (
    COUNT_COLUMNS,
    SELECT_COUNTERS,
    UPDATE_COUNTERS,
)
from ..tables.keys import KEY_COLUMNS, TERM_COLUMNS
from ..tables.transfers import TRANSFER_COLUMNS
from ..tables.wallets import BALANCE_COLUMNS, WALLET_COLUMNS

LOCK = "EXECUTE lock_books (?, ?)"
"""Hashes of keys, ids of wallets."""

READ = "EXECUTE read_books (?, ?, ?)"
"""The same, and names of holds. Returns wallets with their keys, and the names that exist."""

LOCK_WALLETS = "EXECUTE lock_wallets (?)"
"""Ids of wallets."""

WRITE = "EXECUTE write_books (?, ?, ?, ?, ?, ?, ?, ?)"
"""Documents of new holds, changed holds (their ids first), transfers, wallets (the same); then
hashes and a document of keys, which have to be as they are remembered."""

WRITE_WITH_COUNTERS = "EXECUTE write_books_with_counters (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""The same; then ids and a document of counters: each has to be as it was read, also where it
stays so."""

PROVE = "EXECUTE prove_books (?, ?, ?)"
"""Ids and a document of wallets that stay as they are, and names that no hold has."""

WRITE_CLOSED = "EXECUTE write_closed_holds (?)"
"""A document of new holds that are closed already, with their ends."""

READ_COUNTERS = "EXECUTE read_counters (?)"
"""Ids of counters. Only keys with limits have one."""


def _rows(document: str, columns: Mapping[str, str]) -> str:
    """Return the rows of a document as a table, ``v``."""
    return f"json_to_recordset({document}) AS v ({', '.join(map(' '.join, columns.items()))})"


_UPDATE_COUNTERS = UPDATE_COUNTERS.format(
    source=_rows("$10", COUNT_COLUMNS), **{column: f"v.{column}" for column in COUNT_COLUMNS}
)
_ID_OF_WALLET = """
    id = ANY (ARRAY (SELECT wallet_id FROM virtual_keys WHERE key_hash = ANY ($1)) || $2)
"""


# A statement reads a snapshot from before it waited for locks. So one takes the locks, and
# the next, which is sent along, reads what the last holder of the locks committed.
_LOCK = "SELECT 1 FROM wallets WHERE {which} ORDER BY id FOR NO KEY UPDATE"
# Of holds only the names: most that are asked for are new.
_READ = f"""
    SELECT {", ".join(f"w.{column}" for column in WALLET_COLUMNS)},
           {", ".join(f"k.{column}" for column in KEY_COLUMNS)},
           ARRAY (SELECT id FROM usage_logs WHERE id = ANY ($3))
    FROM (SELECT * FROM wallets WHERE {_ID_OF_WALLET}) AS w
    LEFT JOIN (SELECT * FROM virtual_keys WHERE key_hash = ANY ($1)) AS k ON k.wallet_id = w.id
"""
_WRITE = f"""
    WITH opened AS (
        INSERT INTO usage_logs ({", ".join((*OPENING_COLUMNS, *OPEN))})
        SELECT {", ".join((*OPENING_COLUMNS, *OPEN.values()))}
        FROM {_rows("$1", OPENING_COLUMNS)}
    ), changed AS (
        UPDATE usage_logs
        SET {", ".join(f"{column} = v.{column}" for column in CHANGED_COLUMNS)}
        FROM {_rows("$3", CHANGE_COLUMNS)}
        WHERE usage_logs.id = ANY ($2)
          AND usage_logs.id = v.id
          AND usage_logs.state = v.read_state
          AND usage_logs.hold_amount = v.read_amount
          AND usage_logs.written_off = v.read_written_off
        RETURNING 1
    ), posted AS (
        UPDATE wallets
        SET posted = v.posted, held = v.held, owed = v.owed
        FROM {_rows("$6", BALANCE_COLUMNS)}
        WHERE wallets.id = ANY ($5)
          AND wallets.id = v.id
          AND wallets.posted = v.read_posted
          AND wallets.held = v.read_held
          AND wallets.owed = v.read_owed
        RETURNING 1
    ){{counters}}
    INSERT INTO transfers ({", ".join(TRANSFER_COLUMNS)})
    SELECT {", ".join(TRANSFER_COLUMNS)} FROM json_populate_recordset(NULL::transfers, $4)
    WHERE 1 = 1 / ({{proof}})::int
"""
_WRITE_CLOSED = f"""
    INSERT INTO usage_logs ({", ".join(HOLD_COLUMNS)})
    SELECT {", ".join(HOLD_COLUMNS)} FROM json_populate_recordset(NULL::usage_logs, $1)
"""
# What is changed is guarded where it is changed. The keys have to be as they were as well.
_PROOF = f"""
    (SELECT count(*) FROM changed) = cardinality($2)
    AND (SELECT count(*) FROM posted) = cardinality($5)
    AND (SELECT count(*)
         FROM virtual_keys AS k
         JOIN {_rows("$8", TERM_COLUMNS)}
           ON (k.id, k.wallet_id) = (v.id, v.wallet_id)
          AND k.expires_at IS NOT DISTINCT FROM v.expires_at
          AND k.revoked_at IS NOT DISTINCT FROM v.revoked_at
          AND k.revision = v.revision
         WHERE k.key_hash = ANY ($7)) = cardinality($7)
"""
_COUNTERS = f""", counted AS (
        {_UPDATE_COUNTERS}
        AND key_counters.id = ANY ($9)
        RETURNING 1
    )
"""
_COUNTERS_ARE_WRITTEN = "AND (SELECT count(*) FROM counted) = cardinality($9)"
# The wallets and names of a step that was refused: a refusal is only as true as what it was decided
# on.
_PROVE = """
    SELECT 1 / (
    (SELECT count(*)
     FROM wallets AS w
     JOIN json_populate_recordset(NULL::wallets, $2) AS v
       ON (w.id, w.posted, w.held, w.owed) = (v.id, v.posted, v.held, v.owed)
     WHERE w.id = ANY ($1)) = cardinality($1)
    AND NOT EXISTS (SELECT FROM usage_logs WHERE id = ANY ($3)))::int
"""
# Dividing by zero is how plain SQL says that something is not as the books had it. The
# COMMIT that is sent along is not reached then. Transfers are written only once that is proved: a
# step that closes a hold again is told that it is not open any more, not that the reference of its
# charge is taken. Holds that are made need no count, for a name that is taken is an error of its
# own. Nothing is returned, since a result of its own would be stored, described and sent.
PREPARATION = f"""
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET jit = off;
    PREPARE lock_books (bytea[], text[]) AS {_LOCK.format(which=_ID_OF_WALLET)};
    PREPARE lock_wallets (text[]) AS {_LOCK.format(which="id = ANY ($1)")};
    PREPARE read_books (bytea[], text[], text[]) AS {_READ};
    PREPARE read_counters (text[]) AS {SELECT_COUNTERS} WHERE id = ANY ($1);
    PREPARE write_closed_holds (json) AS {_WRITE_CLOSED};
    PREPARE prove_books (text[], json, text[]) AS {_PROVE};
    PREPARE write_books (json, text[], json, json, text[], json, bytea[], json) AS
        {_WRITE.format(counters="", proof=_PROOF)};
    PREPARE write_books_with_counters (
        json, text[], json, json, text[], json, bytea[], json, text[], json
    ) AS
        {_WRITE.format(counters=_COUNTERS, proof=_PROOF + _COUNTERS_ARE_WRITTEN)}
"""
"""What a connection needs before the statements above can be executed on it."""

RAISE = (
    f"INSERT INTO system_alerts ({', '.join(ALERT_COLUMNS)})"
    f" SELECT {', '.join(ALERT_COLUMNS)} FROM json_populate_recordset(NULL::system_alerts, ?)"
    " ON CONFLICT DO NOTHING"
)
"""A document of alerts. Rare enough to be planned each time."""
