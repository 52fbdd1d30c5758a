"""How calls come to be counted: by the hour, and in the same transaction in longer blocks.

``usage_rollup`` has one row that says how far the roll-up has come; it is locked by all that
count. Histograms are bytes rather than arrays, and are added here: SQLite has no arrays, and
neither database a sum of bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.money import div_floor
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import (
    HOUR,
    NOTHING_MEASURED,
    NOTHING_TIMED,
    Histogram,
    Timing,
    hour_of,
)
from creditcore.ports.usage_hours import RefusalCount, Step

from ..instants import instant, micros
from ..session import Session, chunks, flat, tuples
from .usage_blocks import LENGTHS, SINGLE, block_of
from .usage_endpoints import add_endpoints, endpoints_unlike_hours, forget_endpoints
from .usage_failures import (
    add_failures,
    add_refusals_by_error,
    forget_failures,
    unlike_their_hours,
)
from .usage_figures import (
    COUNTED_FROM_CALLS,
    FIGURE,
    FIRST_BYTE,
    HOUR_MICROS,
    HOUR_OF_CALL,
    KEY_AND_MODEL,
    LATENCY,
    REFUSALS,
    ROLLED_UNTIL,
    SUMS_OF_CALLS,
)
from .usage_rows import (
    BLOCKS,
    HOURS,
    WALLET_BLOCKS,
    WALLET_HOURS,
    Counted,
    Name,
    added,
    counted_from_row,
    tally_from_row,
)

_MARGIN_MICROS = 15 * 60 * 1_000_000
_ROWS_PER_STATEMENT = 500
_COMPARED = ("calls", "charge", "written_off")


class UsageCounting:
    """Writes the rows that pages of usage are read from."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def roll_up(self, *, until: datetime) -> Step:
        """Count the calls that ended since the last roll-up, of at most one hour."""
        session, end = self._session, micros(until)
        begin = self._lock_state()
        # What was not used is skipped: after a standstill, and before the first call of all.
        [row] = session.rows(
            "SELECT MIN(closed_at) AS first FROM usage_logs WHERE closed_at >= ?", (begin,)
        )
        first = end if row.first is None else row.first
        end = max(begin, min(end, (div_floor(first, HOUR_MICROS) + 1) * HOUR_MICROS))
        counted = self._count(begin, end)
        self._add_hours(counted)
        self._add_blocks(counted)
        add_failures(session, begin, end)
        add_endpoints(session, begin, end)
        session.change("UPDATE usage_rollup SET rolled_until = ? WHERE id = 1", (end,))
        if end >= micros(until):
            # On the way there the bound of before holds, and this would read all that is left.
            self._note_where_live_calls_begin(end)
        return Step(instant(end), sum(each.tally.calls for each in counted.values()))

    def recount(self, hour: datetime) -> int:
        """Count an hour's calls again, as far as it is rolled up; return how many there are."""
        rolled_until = self._lock_state()
        begin = micros(hour_of(hour))
        end = min(begin + HOUR_MICROS, rolled_until)
        if end <= begin:
            return 0
        session = self._session
        nothing = ", ".join(f"{name} = 0" for name in COUNTED_FROM_CALLS)
        session.change(
            f"UPDATE usage_hourly SET {nothing}, oldest_created_at = NULL,"
            " latency_hist = ?, first_byte_hist = ? WHERE hour = ?",
            (b"", b"", begin),
        )
        session.change("DELETE FROM usage_wallet_hours WHERE hour = ?", (begin,))
        forget_failures(session, begin)
        forget_endpoints(session, begin)
        add_failures(session, begin, end)
        add_endpoints(session, begin, end)
        counted = self._count(begin, end)
        self._add_hours(counted)
        unused = " AND ".join(f"{name} = 0" for name in ("calls", *REFUSALS))
        session.change(f"DELETE FROM usage_hourly WHERE hour = ? AND {unused}", (begin,))
        self._add_up_blocks_of(begin)
        return sum(each.tally.calls for each in counted.values())

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        """Add refused calls to the rows of their hours.

        Like all that count, it waits its turn: a row that the roll-up makes meanwhile is not seen
        here, and would be written without its histograms.
        """
        self._lock_state()
        counted = added(
            (
                (count.wallet_id, micros(count.hour), count.key_id, count.model),
                Counted(count.tally),
            )
            for count in counts
        )
        self._add_hours(counted)
        self._add_blocks(counted)
        add_refusals_by_error(self._session, counts)

    def differing_hours(self, span: Span, *, limit: int) -> Sequence[datetime]:
        """Return hours whose rows, failures, routes or blocks are wrong, oldest first."""
        end = hour_of(span.until)
        since, until = hour_of(span.since), end if end == span.until else end + HOUR
        found = self._unlike_their_calls(micros(since), micros(until), limit)
        found |= unlike_their_hours(self._session, micros(since), micros(until), limit)
        found |= endpoints_unlike_hours(self._session, micros(since), micros(until), limit)
        for length in LENGTHS:
            first = block_of(micros(since), length)
            found |= self._unlike_their_hours(length, first, micros(until), limit)
        return [instant(hour) for hour in sorted(found)[:limit]]

    def _unlike_their_calls(self, since: int, until: int, limit: int) -> set[int]:
        stored = ", ".join(f"SUM({name}) AS {name}" for name in _COMPARED)
        minus = ", ".join(f"-SUM({FIGURE[name]}) AS {name}" for name in _COMPARED)
        rows = self._session.rows(
            f"""
            SELECT hour FROM (
                SELECT wallet_id, hour, {stored} FROM usage_hourly
                WHERE hour >= ? AND hour < ? GROUP BY wallet_id, hour
                UNION ALL
                SELECT wallet_id, {HOUR_OF_CALL} AS hour, {minus} FROM usage_logs
                WHERE closed_at >= ? AND closed_at < ? AND closed_at < {ROLLED_UNTIL}
                GROUP BY wallet_id, {HOUR_OF_CALL}
            ) AS both_sides
            GROUP BY wallet_id, hour HAVING {_differs()} ORDER BY hour LIMIT ?
            """,
            (since, until, since, until, limit),
        )
        return {row.hour for row in rows}

    def _unlike_their_hours(self, length: int, since: int, until: int, limit: int) -> set[int]:
        """Return when blocks of a length begin that are not the sum of their hours."""
        block, names = length * HOUR_MICROS, ", ".join(_COMPARED)
        minus = ", ".join(f"-{name}" for name in _COMPARED)
        rows = self._session.rows(
            f"""
            SELECT begins FROM (
                SELECT wallet_id, begins, {names} FROM usage_blocks
                WHERE hours = ? AND begins >= ? AND begins < ?
                UNION ALL
                SELECT wallet_id, hour / {block} * {block}, {minus} FROM usage_hourly
                WHERE hour >= ? AND hour < ?
            ) AS both_sides
            GROUP BY wallet_id, begins HAVING {_differs()} ORDER BY begins LIMIT ?
            """,
            (length, since, until, since, block_of(until - 1, length) + block, limit),
        )
        return {row.begins for row in rows}

    def _note_where_live_calls_begin(self, end: int) -> None:
        session = self._session
        [open_ones] = session.rows(
            "SELECT MIN(created_at) AS first FROM usage_logs WHERE state = 'open'"
        )
        [later] = session.rows(
            "SELECT MIN(created_at) AS first FROM usage_logs WHERE closed_at >= ?", (end,)
        )
        begun = (row.first for row in (open_ones, later) if row.first is not None)
        session.change(
            "UPDATE usage_rollup SET created_from = ? WHERE id = 1",
            (min(end, *begun, end) - _MARGIN_MICROS,),
        )

    def _lock_state(self) -> int:
        # The row is made by the first that comes; it is locked either way.
        self._session.change(
            "INSERT INTO usage_rollup (id, rolled_until, created_from) VALUES (1, 0, 0)"
            " ON CONFLICT DO NOTHING"
        )
        [state] = self._session.rows(
            "SELECT rolled_until FROM usage_rollup WHERE id = 1" + self._session.engine.row_lock
        )
        return int(state.rolled_until)

    def _count(self, begin: int, end: int) -> dict[Name, Counted]:
        """Return what the calls that ended in a time come to, by wallet, hour, key and model."""
        which = "FROM usage_logs WHERE closed_at >= ? AND closed_at < ?"
        columns = f"wallet_id, {HOUR_OF_CALL} AS hour, {KEY_AND_MODEL}"
        rows = self._session.rows(
            f"SELECT {columns}, MIN(created_at) AS oldest, {SUMS_OF_CALLS} {which}"
            " GROUP BY 1, 2, 3, 4",
            (begin, end),
        )
        buckets = self._session.rows(
            f"SELECT {columns}, {LATENCY} AS latency, {FIRST_BYTE} AS first_byte,"
            f" COUNT(*) AS calls {which} GROUP BY 1, 2, 3, 4, 5, 6",
            (begin, end),
        )
        timings: defaultdict[Name, Timing] = defaultdict(Timing)
        for row in buckets:
            timings[_name(row)] += Timing(
                _in_bucket(row.latency, row.calls), _in_bucket(row.first_byte, row.calls)
            )
        return {
            _name(row): Counted(tally_from_row(row), row.oldest, timings[_name(row)])
            for row in rows
        }

    def _add_hours(self, counted: Mapping[Name, Counted]) -> None:
        HOURS.add(self._session, counted)
        WALLET_HOURS.add(
            self._session,
            added(
                ((wallet_id, hour), each)
                for (wallet_id, hour, _, _), each in counted.items()
                if each.timing != NOTHING_MEASURED
            ),
        )
        self._note_last_uses(name for name, each in counted.items() if each.tally.calls)

    def _note_last_uses(self, used: Iterable[Name]) -> None:
        latest: dict[tuple[str, str], tuple[int, str]] = {}
        for wallet_id, hour, key_id, model in used:
            before = latest.get((wallet_id, key_id), (hour, model))
            latest[wallet_id, key_id] = max(before, (hour, model))
        rows = [(*name, *last) for name, last in sorted(latest.items())]
        for some in chunks(rows, _ROWS_PER_STATEMENT):
            self._session.change(
                "INSERT INTO usage_last_uses (wallet_id, key_id, hour, model)"
                f" VALUES {tuples(some)} ON CONFLICT (wallet_id, key_id) DO UPDATE"
                " SET hour = excluded.hour, model = excluded.model"
                " WHERE (usage_last_uses.hour, usage_last_uses.model)"
                " < (excluded.hour, excluded.model)",
                flat(some),
            )

    def _add_blocks(self, counted: Mapping[Name, Counted]) -> None:
        """Add hours to the blocks that they are in."""
        for length in LENGTHS:
            self._add_to(length, _in_blocks(counted, length))

    def _add_to(self, length: int, blocks: Mapping[Name, Counted]) -> None:
        named = {(name[0], length, *name[1:]): each for name, each in blocks.items()}
        BLOCKS.add(self._session, named)
        WALLET_BLOCKS.add(
            self._session,
            added(
                (name[:3], each) for name, each in named.items() if each.timing != NOTHING_MEASURED
            ),
        )

    def _add_up_blocks_of(self, hour: int) -> None:
        """Make the blocks of an hour anew: the shortest of hours, each longer one of shorter."""
        shorter = SINGLE
        for length in reversed(LENGTHS):
            begins = block_of(hour, length)
            for table in ("usage_blocks", "usage_wallet_blocks"):
                self._session.change(
                    f"DELETE FROM {table} WHERE hours = ? AND begins = ?", (length, begins)
                )
            parts = self._parts(shorter, begins, begins + length * HOUR_MICROS)
            self._add_to(length, _in_blocks(parts, length))
            shorter = length

    def _parts(self, length: int, since: int, until: int) -> dict[Name, Counted]:
        """Return all rows of a length that begin in a time, as if they were of hours."""
        if length == SINGLE:
            rows = self._session.rows(
                "SELECT * FROM usage_hourly WHERE hour >= ? AND hour < ?", (since, until)
            )
            return {_name(row): counted_from_row(row) for row in rows}
        rows = self._session.rows(
            "SELECT * FROM usage_blocks WHERE hours = ? AND begins >= ? AND begins < ?",
            (length, since, until),
        )
        return {
            (row.wallet_id, row.begins, row.key_id, row.model): counted_from_row(row)
            for row in rows
        }


def _in_blocks(counted: Mapping[Name, Counted], length: int) -> dict[Name, Counted]:
    return added(
        ((wallet_id, block_of(hour, length), key_id, model), each)
        for (wallet_id, hour, key_id, model), each in counted.items()
    )


def _differs() -> str:
    return " OR ".join(f"SUM({name}) <> 0" for name in _COMPARED)


def _name(row: Any) -> Name:
    return (row.wallet_id, row.hour, row.key_id, row.model)


def _in_bucket(bucket: int | None, calls: int) -> Histogram:
    return NOTHING_TIMED if bucket is None else Histogram.counted([(bucket, calls)])
