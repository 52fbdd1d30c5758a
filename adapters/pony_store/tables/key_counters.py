"""What limited keys have used, in ``key_counters``. A row is under the lock of its wallet."""

from __future__ import annotations

from typing import Any

from adapters.pony_store.instants import instant, micros
from creditcore.domain.limits import KeyCounter
from creditcore.domain.money import Credits

COUNTER_COLUMNS = ("id", "wallet_id", "since", "spend_limit", "spent", "held", "open_calls")

SELECT_COUNTERS = f"SELECT {', '.join(COUNTER_COLUMNS)} FROM key_counters"

_COUNTS = ("since", "spent", "held", "open_calls")

COUNT_COLUMNS = {
    "id": "TEXT",
    "read_limit": "BIGINT",
    **{f"read_{column}": "BIGINT" for column in _COUNTS},
    **dict.fromkeys(_COUNTS, "BIGINT"),
}
"""What changes a counter: its name, what tells that it is as it was read, and what it becomes."""

UPDATE_COUNTERS = f"""
    UPDATE key_counters
    SET {", ".join(f"{column} = {{{column}}}" for column in _COUNTS)}
    FROM {{source}}
    WHERE key_counters.id = {{id}}
      AND COALESCE(key_counters.spend_limit, -1) = COALESCE({{read_limit}}, -1)
      AND {" AND ".join(f"key_counters.{column} = {{read_{column}}}" for column in _COUNTS)}
"""
"""To be filled with where the values are, for each of ``COUNT_COLUMNS``, and their source."""


def counter_values(counter: KeyCounter) -> tuple[object, ...]:
    """Return a row of ``key_counters``."""
    limit = None if counter.limit is None else counter.limit.microcredits
    return (counter.id, counter.wallet_id, _counts(counter)[0], limit, *_counts(counter)[1:])


def count_values(read: KeyCounter, counter: KeyCounter) -> tuple[object, ...]:
    """Return the values of ``COUNT_COLUMNS``."""
    limit = None if read.limit is None else read.limit.microcredits
    return (counter.id, limit, *_counts(read), *_counts(counter))


def counter_from_row(row: Any) -> KeyCounter:
    """Return the counter of a row."""
    return KeyCounter(
        id=row.id,
        wallet_id=row.wallet_id,
        since=instant(row.since),
        limit=None if row.spend_limit is None else Credits(row.spend_limit),
        spent=Credits(row.spent),
        held=Credits(row.held),
        open_calls=row.open_calls,
    )


def _counts(counter: KeyCounter) -> tuple[int, int, int, int]:
    return (
        micros(counter.since),
        counter.spent.microcredits,
        counter.held.microcredits,
        counter.open_calls,
    )
