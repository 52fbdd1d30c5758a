"""What limited keys and members of teams have used, in ``key_counters``.

A row is under the lock of its wallet.
"""

from __future__ import annotations

from typing import Any

from creditcore.domain.limits import KeyCounter, Period
from creditcore.domain.money import Credits

from ..instants import instant, micros

_COUNTS = ("since", "spent", "held", "open_calls", "raised")
_TERMS = {"spend_limit": "BIGINT", "period": "TEXT", "zone": "TEXT"}

COUNTER_COLUMNS = ("id", "wallet_id", *_TERMS, *_COUNTS)

SELECT_COUNTERS = f"SELECT {', '.join(COUNTER_COLUMNS)} FROM key_counters"

COUNT_COLUMNS = {
    "id": "TEXT",
    **{f"read_{column}": kind for column, kind in _TERMS.items()},
    **{f"read_{column}": "BIGINT" for column in _COUNTS},
    **dict.fromkeys(_COUNTS, "BIGINT"),
}
"""What changes a counter: its name, what tells that it is as it was read, and what it becomes."""

UPDATE_COUNTERS = f"""
    UPDATE key_counters
    SET {", ".join(f"{column} = {{{column}}}" for column in _COUNTS)}
    FROM {{source}}
    WHERE key_counters.id = {{id}}
      AND COALESCE(key_counters.spend_limit, -1) = COALESCE({{read_spend_limit}}, -1)
      AND key_counters.period = {{read_period}} AND key_counters.zone = {{read_zone}}
      AND {" AND ".join(f"key_counters.{column} = {{read_{column}}}" for column in _COUNTS)}
"""
"""To be filled with where the values are, for each of ``COUNT_COLUMNS``, and their source."""


def counter_values(counter: KeyCounter) -> tuple[object, ...]:
    """Return a row of ``key_counters``."""
    return (counter.id, counter.wallet_id, *_terms(counter), *_counts(counter))


def count_values(read: KeyCounter, counter: KeyCounter) -> tuple[object, ...]:
    """Return the values of ``COUNT_COLUMNS``."""
    return (counter.id, *_terms(read), *_counts(read), *_counts(counter))


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
        period=Period(row.period) if row.period else None,
        zone=row.zone,
        raised=Credits(row.raised),
    )


def _terms(counter: KeyCounter) -> tuple[int | None, str, str]:
    limit = None if counter.limit is None else counter.limit.microcredits
    return (limit, str(counter.period or ""), counter.zone)


def _counts(counter: KeyCounter) -> tuple[int, int, int, int, int]:
    return (
        micros(counter.since),
        counter.spent.microcredits,
        counter.held.microcredits,
        counter.open_calls,
        counter.raised.microcredits,
    )
