"""What limited keys and members of teams have used, in ``key_counters``.

A row is under the lock of its wallet.
"""

from __future__ import annotations

from typing import Any

from creditcore.domain.limits import KeyCounter, Period
from creditcore.domain.money import Credits

from ..instants import instant, micros

_COUNTS = ("since", "spent", "held", "open_calls", "raised")
_UTC = "UTC"
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

UPDATE_COUNTERS = """
    UPDATE key_counters
    SET since = COALESCE({since}, key_counters.since), spent = {spent}, held = {held},
        open_calls = {open_calls}, raised = COALESCE({raised}, 0)
    FROM {source}
    WHERE key_counters.id = {id}
      AND COALESCE(key_counters.spend_limit, -1) = COALESCE({read_spend_limit}, -1)
      AND key_counters.period = COALESCE({read_period}, '')
      AND key_counters.zone = COALESCE({read_zone}, 'UTC')
      AND key_counters.since = {read_since} AND key_counters.spent = {read_spent}
      AND key_counters.held = {read_held} AND key_counters.open_calls = {read_open_calls}
      AND key_counters.raised = COALESCE({read_raised}, 0)
"""
"""To be filled with where the values are, for each of ``COUNT_COLUMNS``, and their source.

What most counters have is left out: it is half of what a call of a limited key would send.
"""


def counter_values(counter: KeyCounter) -> tuple[object, ...]:
    """Return a row of ``key_counters``."""
    return (
        counter.id,
        counter.wallet_id,
        None if counter.limit is None else counter.limit.microcredits,
        str(counter.period or ""),
        counter.zone,
        micros(counter.since),
        counter.spent.microcredits,
        counter.held.microcredits,
        counter.open_calls,
        counter.raised.microcredits,
    )


def count_document(read: KeyCounter, counter: KeyCounter) -> dict[str, object]:
    """Return ``COUNT_COLUMNS`` by name, without what most counters have.

    Each call of a limited key sends four of these.
    """
    document: dict[str, object] = {
        "id": counter.id,
        "read_since": micros(read.since),
        "read_spent": read.spent.microcredits,
        "read_held": read.held.microcredits,
        "read_open_calls": read.open_calls,
        "spent": counter.spent.microcredits,
        "held": counter.held.microcredits,
        "open_calls": counter.open_calls,
    }
    if read.limit is not None:
        document["read_spend_limit"] = read.limit.microcredits
    if read.period:
        document["read_period"] = str(read.period)
    if read.zone != _UTC:
        document["read_zone"] = read.zone
    if read.raised:
        document["read_raised"] = read.raised.microcredits
    if counter.raised:
        document["raised"] = counter.raised.microcredits
    if counter.since is not read.since:
        document["since"] = micros(counter.since)
    return document


def count_values(read: KeyCounter, counter: KeyCounter) -> tuple[object, ...]:
    """Return the values of ``COUNT_COLUMNS``, None for what is left out."""
    return tuple(map(count_document(read, counter).get, COUNT_COLUMNS))


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
